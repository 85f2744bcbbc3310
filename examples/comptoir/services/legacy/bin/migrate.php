<?php

declare(strict_types=1);

namespace Legacy;

use RuntimeException;

require __DIR__ . '/../inc/functions.php';

try {
    $db = await_database(30);
    $applied = migrate($db, dirname(__DIR__) . '/migrations');
    put_account($db, 'demo', settings()['DEMO_PASSWORD']);
} catch (RuntimeException $e) {
    fwrite(STDERR, "migrate: {$e->getMessage()}\n");
    exit(1);
}
echo 'migrate: ', $applied ? implode(', ', $applied) : 'nothing to do', "\n";
