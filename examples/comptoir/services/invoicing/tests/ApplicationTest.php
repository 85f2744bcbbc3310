<?php

declare(strict_types=1);

namespace Invoicing;

use PHPUnit\Framework\TestCase;

final class ApplicationTest extends TestCase
{
    private const INVOICE = '{"customer":"Maison Fictive","email":"compta@fictive.example","net":"100.00"}';

    public function testHealthAnswersWithoutADatabase(): void
    {
        $response = $this->answer(new Request('GET', '/health'));

        self::assertSame(200, $response->status);
        self::assertSame('{"service":"invoicing","version":"2.1.0","status":"ok"}', trim($response->body));
    }

    public function testTheApiNeedsNoLoginButADatabase(): void
    {
        $response = $this->answer(new Request('POST', '/invoices', self::INVOICE));

        self::assertSame(503, $response->status);
        self::assertSame('5', $response->headers['Retry-After']);
    }

    public function testThePageAsksForALogin(): void
    {
        $response = $this->answer(new Request('GET', '/'));

        self::assertSame(401, $response->status);
        self::assertStringContainsString('href="http://legacy.test.localhost"', $response->body);
    }

    public function testAFormWithoutALoginCreatesNothing(): void
    {
        self::assertSame(401, $this->answer(new Request('POST', '/', form: ['net' => '100']))->status);
    }

    public function testAnInvalidInvoiceIsRefused(): void
    {
        self::assertSame(422, $this->answer(new Request('POST', '/invoices', '{"customer":""}'))->status);
        self::assertSame(422, $this->answer(new Request('POST', '/invoices', 'facture'))->status);
    }

    public function testAPaymentCannotBeRead(): void
    {
        self::assertSame(405, $this->answer(new Request('GET', '/invoices/F-000001/payment'))->status);
    }

    private function answer(Request $request): Response
    {
        $config = Config::fromEnvironment([
            'APP_VERSION' => '2.1.0', 'DATABASE_URL' => 'mysql://u:p@db/invoices',
            'SESSION_URL' => 'redis://sessions/0', 'SESSION_NAME' => 'comptoir', 'QUEUE_URL' => 'redis://sessions/0',
            'ACCOUNTING_URL' => 'http://accounting', 'COMPANY_NAME' => 'Comptoir',
            'HOME_URL' => 'http://legacy.test.localhost', 'CURRENCY' => 'EUR', 'VAT_RATE' => '20',
        ]);
        $away = static fn () => throw new Unavailable('the database does not answer');

        return (new Application($config, $away, static fn () => null))->handle($request);
    }
}
