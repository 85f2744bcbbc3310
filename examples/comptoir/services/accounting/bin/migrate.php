<?php

// php bin/migrate.php expand|contract

declare(strict_types=1);

use Accounting\Config;
use Accounting\Database;
use Accounting\Migrations;

require __DIR__ . '/../src/autoload.php';

$step = $argv[1] ?? 'expand';
$folder = dirname(__DIR__) . "/migrations/$step";
if (!is_dir($folder)) {
    fwrite(STDERR, "usage: migrate.php expand|contract\n");
    exit(2);
}

try {
    $db = Database::await(Config::fromEnvironment(getenv())->databaseUrl, seconds: 30);
    $applied = (new Migrations($db, $folder))->apply();
} catch (RuntimeException $e) {
    fwrite(STDERR, "migrate: {$e->getMessage()}\n");
    exit(1);
}
echo "$step: ", $applied ? implode(', ', $applied) : 'nothing to do', "\n";
