<?php

declare(strict_types=1);

namespace Accounting;

use PDO;

/** Numbered SQL files, each applied once. MariaDB commits each DDL statement, so a file must bear being run again. */
final class Migrations
{
    public function __construct(private readonly PDO $db, private readonly string $folder)
    {
    }

    /**
     * @return list<string> the files applied now
     * @throws Unavailable
     */
    public function apply(): array
    {
        // The lock's name is global to the database server.
        $lock = "CONCAT('migrate:', DATABASE())";
        if ($this->db->query("SELECT GET_LOCK($lock, 60)")->fetchColumn() !== 1) {
            throw new Unavailable('another migration has been running for a minute');
        }
        $this->db->exec(
            'CREATE TABLE IF NOT EXISTS schema_migrations (
                 name VARCHAR(100) PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
             )'
        );
        $pending = array_values(array_diff(self::files($this->folder), $this->applied()));
        array_walk($pending, $this->run(...));
        $this->db->query("DO RELEASE_LOCK($lock)");

        return $pending;
    }

    /** @return list<string> */
    public static function files(string $folder): array
    {
        return array_map('basename', glob("$folder/*.sql") ?: []);
    }

    /** @return list<string> */
    public static function statements(string $sql): array
    {
        return preg_split('/;\s*(?:\n|$)/', preg_replace('/^--.*\n/m', '', $sql), flags: PREG_SPLIT_NO_EMPTY);
    }

    /** @return list<string> */
    private function applied(): array
    {
        return $this->db->query('SELECT name FROM schema_migrations')->fetchAll(PDO::FETCH_COLUMN);
    }

    private function run(string $name): void
    {
        foreach (self::statements(file_get_contents("$this->folder/$name")) as $statement) {
            $this->db->exec($statement);
        }
        $this->db->prepare('INSERT INTO schema_migrations (name) VALUES (?)')->execute([$name]);
    }
}
