<?php

declare(strict_types=1);

namespace Legacy;

use PDO;

/** Creates the account, or gives it this password. */
function put_account(PDO $db, string $name, string $password): void
{
    $hash = password_hash($password, PASSWORD_DEFAULT);
    $db->prepare(
        'INSERT INTO accounts (name, password_hash) VALUES (?, ?)
         ON DUPLICATE KEY UPDATE password_hash = VALUES(password_hash)'
    )->execute([$name, $hash]);
}

function is_password_of(PDO $db, string $name, string $password): bool
{
    $select = $db->prepare('SELECT password_hash FROM accounts WHERE name = ?');
    $select->execute([$name]);

    return password_verify($password, (string) $select->fetchColumn());
}
