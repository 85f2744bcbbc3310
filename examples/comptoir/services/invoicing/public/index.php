<?php

declare(strict_types=1);

use Invoicing\Application;
use Invoicing\Config;
use Invoicing\Database;
use Invoicing\Request;
use Invoicing\Response;
use Invoicing\Session;

require __DIR__ . '/../src/autoload.php';

try {
    $config = Config::fromEnvironment(getenv());
    $application = new Application(
        $config,
        static fn (): PDO => Database::connect($config->databaseUrl),
        static fn (): ?string => Session::user($config),
        $_SERVER['HTTP_TRACEPARENT'] ?? '',
    );
    $response = $application->handle(Request::current());
} catch (Throwable $e) {
    error_log((string) $e);
    $response = Response::json(['service' => 'invoicing', 'status' => 'error'], 500);
}
$response->send();
