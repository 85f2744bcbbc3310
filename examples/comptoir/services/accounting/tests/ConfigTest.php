<?php

declare(strict_types=1);

namespace Accounting;

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
            ['mysql:host=db;port=3307;dbname=ledger;charset=utf8mb4', 'user', 'p@ss/word'],
            Database::parse('mysql://user:p%40ss%2Fword@db:3307/ledger'),
        );
    }
}
