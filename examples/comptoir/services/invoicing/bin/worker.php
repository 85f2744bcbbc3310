<?php

// Posts and mails the invoices that wait in the queue. Sending stops at a line of the log: the example
// has no mail server.

declare(strict_types=1);

use Invoicing\Accounting;
use Invoicing\Billing;
use Invoicing\Config;
use Invoicing\Database;
use Invoicing\Invoice;
use Invoicing\Invoices;
use Invoicing\Queue;
use Invoicing\Unavailable;

require __DIR__ . '/../src/autoload.php';

$config = Config::fromEnvironment(getenv());
$queue = new Queue($config->queueUrl);
$say = static function (string $event, array $facts = []): void {
    echo json_encode(['time' => date('c'), 'service' => 'invoicing', 'event' => $event] + $facts), "\n";
};

$stopping = false;
pcntl_async_signals(true);
// The image stops with SIGWINCH for Apache's sake.
foreach ([SIGTERM, SIGINT, SIGWINCH] as $signal) {
    pcntl_signal($signal, static function () use (&$stopping): void {
        $stopping = true;
    });
}

$finish = static function (int $id) use ($config, $queue, $say): void {
    // Connected per job: the worker outlives restarts of the database.
    $invoices = new Invoices(Database::connect($config->databaseUrl));
    $invoice = $invoices->find($id);
    if ($invoice && (new Billing($invoices, new Accounting($config->accountingUrl), $queue))->finish($invoice)) {
        $say('mail.sent', ['invoice' => $invoice->number(), 'to' => $invoice->email]);
    }
};

$say('worker.started', ['version' => $config->version]);
$backlog = null;
while (!$stopping) {
    $id = null;
    try {
        // The database knows what a crash or an outage made the queue forget.
        $backlog ??= array_map(
            static fn (Invoice $invoice): int => $invoice->id,
            (new Invoices(Database::connect($config->databaseUrl)))->unfinished(),
        );
        $id = array_shift($backlog) ?? $queue->take(seconds: 2);
        if ($id !== null) {
            $finish($id);
        }
    } catch (Unavailable $e) {
        $say('worker.waiting', ['reason' => $e->getMessage()]);
        $backlog = null;
        sleep(2);
    } catch (RuntimeException $e) {
        $say('invoice.stuck', ['id' => $id, 'reason' => $e->getMessage()]);
        sleep(1);
    }
}
$say('worker.stopped');
