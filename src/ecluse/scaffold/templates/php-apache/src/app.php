<?php

declare(strict_types=1);

/**
 * The answer to a request: status, content type, body.
 *
 * $config holds the keys that service.yaml declares.
 */
function respond(string $path, array $config): array
{
    return match ($path) {
        '/' => [200, 'text/plain; charset=utf-8', "{$config['GREETING']}, this is {{service}}.\n"],
        '/health' => [200, 'application/json', json_encode([
            'status' => 'ok',
            'version' => $config['APP_VERSION'] ?? null,
        ])],
        default => [404, 'text/plain; charset=utf-8', "Not found\n"],
    };
}
