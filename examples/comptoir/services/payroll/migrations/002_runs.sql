CREATE TABLE IF NOT EXISTS runs (
    month CHAR(7) PRIMARY KEY,
    slips INT UNSIGNED NOT NULL,
    gross_cents BIGINT NOT NULL,
    contribution_cents BIGINT NOT NULL
) DEFAULT CHARSET = utf8mb4;
