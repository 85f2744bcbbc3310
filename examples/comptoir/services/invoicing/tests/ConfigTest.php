<?php

declare(strict_types=1);

namespace Invoicing;

use PHPUnit\Framework\TestCase;

final class ConfigTest extends TestCase
{
    public function testAMissingKeyIsNamed(): void
    {
        $this->expectExceptionMessage('DATABASE_URL is not set');
        Config::fromEnvironment(['APP_VERSION' => '1.4.0']);
    }

    public function testADatabaseAddressBecomesADsn(): void
    {
        self::assertSame(
            ['mysql:host=db;port=3307;dbname=invoices;charset=utf8mb4', 'user', 'p@ss/word'],
            Database::parse('mysql://user:p%40ss%2Fword@db:3307/invoices'),
        );
    }

    public function testASessionAddressBecomesASavePath(): void
    {
        self::assertSame(
            'tcp://sessions:6379?auth=p%40ss&database=0&timeout=3',
            Session::savePath('redis://:p%40ss@sessions:6379/0'),
        );
    }
}
