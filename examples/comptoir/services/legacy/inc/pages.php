<?php

declare(strict_types=1);

namespace Legacy;

use Throwable;

function e(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES);
}

function redirect(string $path): void
{
    header("Location: $path", true, 303);
    exit;
}

function answer_json(array $data, int $status = 200): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($data), "\n";
}

function answer_state(string $status): void
{
    answer_json(['service' => 'legacy', 'version' => settings()['APP_VERSION'], 'status' => $status]);
}

function answer_error(Throwable $e): void
{
    error_log((string) $e);
    if ($e instanceof Unavailable) {
        header('Retry-After: 5');
        answer_json(['service' => 'legacy', 'error' => $e->getMessage()], 503);
    } else {
        answer_json(['service' => 'legacy', 'status' => 'error'], 500);
    }
}

function page_top(string $title): void
{
    $settings = settings();
    $company = e($settings['COMPANY_NAME']);
    echo "<!doctype html>\n<html lang=\"fr\">\n<meta charset=\"utf-8\">\n<title>", e($title), " · $company</title>\n",
        "<link rel=\"stylesheet\" href=\"/style.css\">\n",
        $settings['BANNER'] === '' ? '' : '<p class="banner">' . e($settings['BANNER']) . "</p>\n",
        "<header><a href=\"/\">$company</a> <h1>", e($title), "</h1></header>\n<main>\n";
}

function page_bottom(): void
{
    echo "</main>\n<footer>legacy ", e(settings()['APP_VERSION']), "</footer>\n";
}
