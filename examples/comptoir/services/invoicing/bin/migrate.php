<?php

declare(strict_types=1);

use Invoicing\Config;
use Invoicing\Database;
use Invoicing\Migrations;

require __DIR__ . '/../src/autoload.php';

try {
    $db = Database::await(Config::fromEnvironment(getenv())->databaseUrl, seconds: 30);
    $applied = (new Migrations($db, dirname(__DIR__) . '/migrations'))->apply();
} catch (RuntimeException $e) {
    fwrite(STDERR, "migrate: {$e->getMessage()}\n");
    exit(1);
}
echo 'migrate: ', $applied ? implode(', ', $applied) : 'nothing to do', "\n";
