<?php

// Lists the invoices that wait for their money.

declare(strict_types=1);

use Invoicing\Config;
use Invoicing\Database;
use Invoicing\Invoices;
use Invoicing\Money;

require __DIR__ . '/../src/autoload.php';

try {
    $config = Config::fromEnvironment(getenv());
    $unpaid = (new Invoices(Database::await($config->databaseUrl, seconds: 30)))->unpaid($config->reminderDays);
} catch (RuntimeException $e) {
    fwrite(STDERR, "reminders: {$e->getMessage()}\n");
    exit(1);
}
foreach ($unpaid as $invoice) {
    $total = Money::format($invoice->totalCents(), $config->currency);
    echo "{$invoice->number()} {$invoice->issuedOn} {$invoice->customer} <{$invoice->email}> $total\n";
}
echo count($unpaid), " unpaid\n";
