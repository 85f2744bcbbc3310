<?php

declare(strict_types=1);

namespace Invoicing;

/** The login that legacy wrote. We only read it, and only its `user`. */
final class Session
{
    /** @throws Unavailable */
    public static function user(Config $config): ?string
    {
        if (!isset($_COOKIE[$config->sessionName])) {
            return null;
        }
        session_name($config->sessionName);
        ini_set('session.save_handler', 'redis');
        ini_set('session.save_path', self::savePath($config->sessionUrl));
        if (!@session_start(['read_and_close' => true])) {
            throw new Unavailable('the session store does not answer');
        }

        return $_SESSION['user'] ?? null;
    }

    /** redis://:password@host:port/number as the session handler of php-redis wants it */
    public static function savePath(string $url): string
    {
        $part = parse_url($url);
        $query = array_filter([
            'auth' => rawurldecode($part['pass'] ?? ''),
            'database' => ltrim($part['path'] ?? '', '/'),
            'timeout' => '3',
        ], 'strlen');

        return sprintf('tcp://%s:%d?%s', $part['host'], $part['port'] ?? 6379, http_build_query($query));
    }
}
