CREATE TABLE IF NOT EXISTS entries (
    id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    occurred_on DATE NOT NULL,
    wording VARCHAR(200) NOT NULL,
    debit VARCHAR(8) NOT NULL,
    credit VARCHAR(8) NOT NULL,
    amount_cents BIGINT NOT NULL,
    source VARCHAR(40) NOT NULL,
    reference VARCHAR(80) NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE KEY once (source, reference)
) DEFAULT CHARSET = utf8mb4;
