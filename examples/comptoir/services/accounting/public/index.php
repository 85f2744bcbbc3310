<?php

declare(strict_types=1);

use Accounting\Application;
use Accounting\Config;
use Accounting\Database;
use Accounting\Response;

require __DIR__ . '/../src/autoload.php';

try {
    $config = Config::fromEnvironment(getenv());
    $application = new Application($config, static fn (): PDO => Database::connect($config->databaseUrl));
    $response = $application->handle(
        $_SERVER['REQUEST_METHOD'],
        parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/',
        file_get_contents('php://input'),
    );
} catch (Throwable $e) {
    error_log((string) $e);
    $response = Response::json(['service' => 'accounting', 'status' => 'error'], 500);
}
$response->send();
