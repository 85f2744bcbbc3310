<?php

declare(strict_types=1);

require __DIR__ . '/../src/app.php';

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/';
[$status, $type, $body] = respond($path, getenv());

http_response_code($status);
header("Content-Type: $type");
echo $body;
