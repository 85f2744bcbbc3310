<?php

declare(strict_types=1);

namespace Invoicing;

use Closure;
use PDO;

final class Application
{
    /**
     * @param Closure(): PDO $connect called by the requests that need the database, and only by those
     * @param Closure(): ?string $user who is logged in at legacy
     */
    public function __construct(
        private readonly Config $config,
        private readonly Closure $connect,
        private readonly Closure $user,
        private readonly string $traceparent = '',
    ) {
    }

    public function handle(Request $request): Response
    {
        try {
            return match (true) {
                (bool) preg_match('#^/invoices/F-(\d+)/payment$#', $request->path, $match)
                    => $this->pay($request, (int) $match[1]),
                default => $this->route($request),
            };
        } catch (Invalid $e) {
            return Response::json(['error' => $e->getMessage()], 422);
        } catch (Unavailable $e) {
            error_log($e->getMessage() . ': ' . $e->getPrevious()?->getMessage());

            return Response::json(['error' => $e->getMessage()], 503, ['Retry-After' => '5']);
        }
    }

    private function route(Request $request): Response
    {
        return match ("$request->method $request->path") {
            'GET /health' => $this->state('ok'),
            'GET /ready' => $this->ready(),
            'GET /' => $this->page(),
            'POST /' => $this->submit($request),
            'GET /invoices' => $this->list(),
            'POST /invoices' => Response::json($this->issue($request->json())->toArray(), 201),
            default => Response::json(['error' => 'no such page'], 404),
        };
    }

    private function state(string $status): Response
    {
        return Response::json([
            'service' => 'invoicing', 'version' => $this->config->version, 'status' => $status,
        ]);
    }

    private function ready(): Response
    {
        ($this->connect)()->query('SELECT 1');

        return $this->state('ready');
    }

    private function list(): Response
    {
        $invoices = array_map(static fn (Invoice $invoice): array => $invoice->toArray(), $this->invoices()->latest());

        return Response::json(['invoices' => $invoices]);
    }

    private function pay(Request $request, int $id): Response
    {
        if ($request->method !== 'POST') {
            return Response::json(['error' => 'POST only'], 405, ['Allow' => 'POST']);
        }
        $invoices = $this->invoices();
        $invoice = $invoices->find($id) ?? throw new Invalid('no such invoice');

        return Response::json($this->billing($invoices)->pay($invoice, date('Y-m-d'))->toArray());
    }

    private function page(string $problem = ''): Response
    {
        $user = ($this->user)();
        if ($user === null) {
            return Response::page('login', ['config' => $this->config], 401);
        }

        return Response::page('invoices', [
            'config' => $this->config, 'user' => $user, 'problem' => $problem,
            'invoices' => $this->invoices()->latest(),
        ], $problem === '' ? 200 : 422);
    }

    private function submit(Request $request): Response
    {
        if (($this->user)() === null) {
            return $this->page();
        }
        try {
            $this->issue($request->form);
        } catch (Invalid $e) {
            return $this->page($e->getMessage());
        }

        return Response::redirect('/');
    }

    /** @param array<string, mixed> $data */
    private function issue(array $data): Invoice
    {
        $draft = Invoice::draft($data, $this->config->vatRate, date('Y-m-d'));

        return $this->billing($this->invoices())->issue($draft);
    }

    private function invoices(): Invoices
    {
        return new Invoices(($this->connect)());
    }

    private function billing(Invoices $invoices): Billing
    {
        return new Billing(
            $invoices,
            new Accounting($this->config->accountingUrl, $this->traceparent),
            new Queue($this->config->queueUrl),
        );
    }
}
