CREATE TABLE IF NOT EXISTS invoices (
    id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    issued_on DATE NOT NULL,
    customer VARCHAR(120) NOT NULL,
    email VARCHAR(200) NOT NULL,
    net_cents BIGINT NOT NULL,
    vat_cents BIGINT NOT NULL,
    posted_at DATETIME NULL,
    mailed_at DATETIME NULL,
    paid_on DATE NULL
) DEFAULT CHARSET = utf8mb4;
