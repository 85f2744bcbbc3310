<?php

declare(strict_types=1);

namespace Accounting;

use PHPUnit\Framework\TestCase;

final class ApplicationTest extends TestCase
{
    public function testHealthAnswersWithoutADatabase(): void
    {
        $response = $this->application()->handle('GET', '/health');

        self::assertSame(200, $response->status);
        self::assertSame('{"service":"accounting","version":"1.4.0","status":"ok"}', trim($response->body));
    }

    /** @dataProvider requestsThatNeedTheDatabase */
    public function testADatabaseThatIsAwayIsA503(string $method, string $path, string $body = ''): void
    {
        $response = $this->application()->handle($method, $path, $body);

        self::assertSame(503, $response->status);
        self::assertSame('5', $response->headers['Retry-After']);
    }

    /** @return list<list<string>> */
    public static function requestsThatNeedTheDatabase(): array
    {
        $entry = '{"date":"2026-01-31","label":"Loyer","debit":"613000","credit":"512000",
                   "amount_cents":90000,"source":"test","reference":"1"}';

        return [['GET', '/ready'], ['GET', '/'], ['GET', '/balance'], ['POST', '/entries', $entry]];
    }

    public function testABodyThatIsNotJsonIsRefused(): void
    {
        self::assertSame(422, $this->application()->handle('POST', '/entries', 'loyer')->status);
    }

    public function testAnUnknownPageIsA404(): void
    {
        self::assertSame(404, $this->application()->handle('DELETE', '/entries')->status);
    }

    private function application(): Application
    {
        $config = Config::fromEnvironment([
            'APP_VERSION' => '1.4.0', 'DATABASE_URL' => 'mysql://u:p@db/ledger',
            'COMPANY_NAME' => 'Comptoir', 'HOME_URL' => 'http://legacy.test.localhost', 'CURRENCY' => 'EUR',
        ]);

        return new Application($config, static fn () => throw new Unavailable('the database does not answer'));
    }
}
