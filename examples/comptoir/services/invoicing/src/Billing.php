<?php

declare(strict_types=1);

namespace Invoicing;

use Closure;
use RuntimeException;

/** What happens to an invoice, in an order that can stop anywhere and go on later. */
final class Billing
{
    public function __construct(
        private readonly Invoices $invoices,
        private readonly Accounting $accounting,
        private readonly Queue $queue,
    ) {
    }

    /** The invoice counts once it is stored: what cannot be done now is left to the worker. */
    public function issue(Invoice $draft): Invoice
    {
        $invoice = $this->invoices->add($draft);
        $this->attempt($invoice, fn () => $this->post($invoice));
        $this->attempt($invoice, fn () => $this->queue->add($invoice->id));

        return $this->invoices->find($invoice->id);
    }

    /**
     * The worker's part.
     *
     * @return bool whether the mail was sent now
     * @throws Unavailable
     */
    public function finish(Invoice $invoice): bool
    {
        $this->post($invoice);

        return $this->invoices->markMailed($invoice);
    }

    /** @throws Unavailable */
    public function pay(Invoice $invoice, string $today): Invoice
    {
        $this->accounting->post($invoice->paymentEntry($today));
        $this->invoices->markPaid($invoice);

        return $this->invoices->find($invoice->id);
    }

    private function attempt(Invoice $invoice, Closure $step): void
    {
        try {
            $step();
        } catch (RuntimeException $e) {
            error_log("{$invoice->number()}: {$e->getMessage()}, left to the worker");
        }
    }

    private function post(Invoice $invoice): void
    {
        if ($invoice->postedAt === null) {
            array_map($this->accounting->post(...), $invoice->saleEntries());
            $this->invoices->markPosted($invoice);
        }
    }
}
