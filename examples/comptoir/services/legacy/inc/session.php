<?php

declare(strict_types=1);

namespace Legacy;

/** Opens the session that all pages of the environment share; invoicing reads its `user`. */
function open_session(): void
{
    $settings = settings();
    ini_set('session.save_handler', 'redis');
    ini_set('session.save_path', session_save_path_of($settings['SESSION_URL']));
    session_name($settings['SESSION_NAME']);
    session_set_cookie_params([
        'domain' => $settings['COOKIE_DOMAIN'],
        'secure' => ($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https',
        'httponly' => true,
        // Also keeps other sites from posting our forms.
        'samesite' => 'Lax',
    ]);
    if (!@session_start()) {
        throw new Unavailable('the session store does not answer');
    }
}

/** redis://:password@host:port/number as the session handler of php-redis wants it */
function session_save_path_of(string $url): string
{
    $part = parse_url($url);
    $query = array_filter([
        'auth' => rawurldecode($part['pass'] ?? ''),
        'database' => ltrim($part['path'] ?? '', '/'),
        'timeout' => '3',
    ], 'strlen');

    return sprintf('tcp://%s:%d?%s', $part['host'], $part['port'] ?? 6379, http_build_query($query));
}

function user(): ?string
{
    return $_SESSION['user'] ?? null;
}

function log_in(string $name): void
{
    session_regenerate_id(true);
    $_SESSION['user'] = $name;
}

function log_out(): void
{
    $_SESSION = [];
    session_destroy();
}
