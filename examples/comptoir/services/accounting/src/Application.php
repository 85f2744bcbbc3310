<?php

declare(strict_types=1);

namespace Accounting;

use Closure;
use PDO;

final class Application
{
    /** @param Closure(): PDO $connect called by the requests that need the database, and only by those */
    public function __construct(private readonly Config $config, private readonly Closure $connect)
    {
    }

    public function handle(string $method, string $path, string $body = ''): Response
    {
        try {
            return match ("$method $path") {
                'GET /health' => $this->state('ok'),
                'GET /ready' => $this->ready(),
                'GET /' => $this->page(),
                'GET /entries' => Response::json(['entries' => $this->ledger()->entries()]),
                'POST /entries' => $this->post($body),
                'GET /balance' => Response::json($this->balance()),
                default => Response::json(['error' => 'no such page'], 404),
            };
        } catch (Invalid $e) {
            return Response::json(['error' => $e->getMessage()], 422);
        } catch (Unavailable $e) {
            error_log($e->getMessage() . ': ' . $e->getPrevious()?->getMessage());

            return Response::json(['error' => $e->getMessage()], 503, ['Retry-After' => '5']);
        }
    }

    private function state(string $status): Response
    {
        return Response::json([
            'service' => 'accounting', 'version' => $this->config->version, 'status' => $status,
        ]);
    }

    private function ready(): Response
    {
        ($this->connect)()->query('SELECT 1');

        return $this->state('ready');
    }

    private function post(string $body): Response
    {
        $data = json_decode($body, true);
        if (!is_array($data)) {
            throw new Invalid('a JSON object is needed');
        }
        $entry = Entry::fromArray($data, $this->config->closedUntil);
        $isNew = $this->ledger()->post($entry);

        return Response::json(['reference' => $entry->reference, 'new' => $isNew], $isNew ? 201 : 200);
    }

    /** @return array{currency: string, balance: object} */
    private function balance(): array
    {
        return ['currency' => $this->config->currency, 'balance' => (object) $this->ledger()->balance()];
    }

    private function page(): Response
    {
        $ledger = $this->ledger();

        return Response::page('ledger', [
            'config' => $this->config, 'entries' => $ledger->entries(), 'balance' => $ledger->balance(),
        ]);
    }

    private function ledger(): Ledger
    {
        return new Ledger(($this->connect)());
    }
}
