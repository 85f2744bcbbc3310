<?php

declare(strict_types=1);

namespace Legacy;

use PDO;

/** Applies the numbered SQL files that are new and returns their names. MariaDB commits each DDL
 *  statement, so a file must bear being run again. */
function migrate(PDO $db, string $folder): array
{
    // The lock's name is global to the database server.
    $lock = "CONCAT('migrate:', DATABASE())";
    if ((int) $db->query("SELECT GET_LOCK($lock, 60)")->fetchColumn() !== 1) {
        throw new Unavailable('another migration has been running for a minute');
    }
    $db->exec(
        'CREATE TABLE IF NOT EXISTS schema_migrations (
             name VARCHAR(100) PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
         )'
    );
    $applied = $db->query('SELECT name FROM schema_migrations')->fetchAll(PDO::FETCH_COLUMN);
    $pending = array_values(array_diff(array_map('basename', glob("$folder/*.sql")), $applied));
    foreach ($pending as $name) {
        apply_migration($db, "$folder/$name");
    }
    $db->query("DO RELEASE_LOCK($lock)");

    return $pending;
}

function apply_migration(PDO $db, string $file): void
{
    foreach (statements(file_get_contents($file)) as $statement) {
        $db->exec($statement);
    }
    $db->prepare('INSERT INTO schema_migrations (name) VALUES (?)')->execute([basename($file)]);
}

function statements(string $sql): array
{
    return preg_split('/;\s*(?:\n|$)/', preg_replace('/^--.*\n/m', '', $sql), -1, PREG_SPLIT_NO_EMPTY);
}
