<?php

declare(strict_types=1);

namespace Invoicing;

use PDO;
use PDOException;

final class Database
{
    /** @throws Unavailable */
    public static function connect(string $url): PDO
    {
        [$dsn, $user, $password] = self::parse($url);
        try {
            return new PDO($dsn, $user, $password, [PDO::ATTR_TIMEOUT => 3]);
        } catch (PDOException $e) {
            throw new Unavailable('the database does not answer', previous: $e);
        }
    }

    /** A release task may start before the database listens. */
    public static function await(string $url, int $seconds): PDO
    {
        for ($deadline = time() + $seconds; ; sleep(1)) {
            try {
                return self::connect($url);
            } catch (Unavailable $e) {
                if (time() >= $deadline) {
                    throw $e;
                }
            }
        }
    }

    /** @return array{string, string, string} DSN, user, password of mysql://user:password@host:port/name */
    public static function parse(string $url): array
    {
        $part = array_map('rawurldecode', array_map('strval', parse_url($url) ?: []));
        $dsn = sprintf(
            'mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4',
            $part['host'] ?? '',
            $part['port'] ?? '3306',
            ltrim($part['path'] ?? '', '/'),
        );

        return [$dsn, $part['user'] ?? '', $part['pass'] ?? ''];
    }
}
