CREATE TABLE IF NOT EXISTS employees (
    code VARCHAR(10) PRIMARY KEY,
    job VARCHAR(80) NOT NULL,
    salary_cents BIGINT NOT NULL
) DEFAULT CHARSET = utf8mb4;
INSERT IGNORE INTO employees (code, job, salary_cents) VALUES
    ('E-001', 'Éclusier', 245000),
    ('E-002', 'Comptable', 310000),
    ('E-003', 'Batelière', 278050);
