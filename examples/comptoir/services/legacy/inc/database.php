<?php

declare(strict_types=1);

namespace Legacy;

use PDO;
use PDOException;
use RuntimeException;

/** Something that this service leans on is away for a moment: answered with 503. */
final class Unavailable extends RuntimeException
{
}

function connect(): PDO
{
    static $db = null;
    if ($db !== null) {
        return $db;
    }
    [$dsn, $user, $password] = parse_database_url(settings()['DATABASE_URL']);
    try {
        return $db = new PDO($dsn, $user, $password, [
            PDO::ATTR_TIMEOUT => 3,
            // Not yet the default in PHP 7.4.
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
        ]);
    } catch (PDOException $e) {
        throw new Unavailable('the database does not answer', 0, $e);
    }
}

/** A release task may start before the database listens. */
function await_database(int $seconds): PDO
{
    for ($deadline = time() + $seconds; ; sleep(1)) {
        try {
            return connect();
        } catch (Unavailable $e) {
            if (time() >= $deadline) {
                throw $e;
            }
        }
    }
}

/** DSN, user and password of mysql://user:password@host:port/name */
function parse_database_url(string $url): array
{
    $part = array_map('rawurldecode', array_map('strval', parse_url($url) ?: []));
    $dsn = sprintf(
        'mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4',
        $part['host'] ?? '',
        $part['port'] ?? '3306',
        ltrim($part['path'] ?? '', '/')
    );

    return [$dsn, $part['user'] ?? '', $part['pass'] ?? ''];
}
