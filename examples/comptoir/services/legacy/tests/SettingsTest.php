<?php

declare(strict_types=1);

namespace Legacy;

use PHPUnit\Framework\TestCase;

final class SettingsTest extends TestCase
{
    public function testPlainAndQuotedLinesAreRead(): void
    {
        $text = <<<'ENV'
            # made by a deployment
            PLAIN=a=b c
            DOUBLE="a \"b\" \$c \\ d"
            SINGLE='a "b" $c'
            EMPTY=
            ENV;

        self::assertSame(
            ['PLAIN' => 'a=b c', 'DOUBLE' => 'a "b" $c \\ d', 'SINGLE' => 'a "b" $c', 'EMPTY' => ''],
            parse_settings($text)
        );
    }

    public function testAMissingKeyIsNamed(): void
    {
        $this->expectExceptionMessage('DATABASE_URL is not set');
        check_settings(['APP_VERSION' => '1.0.0']);
    }

    public function testADatabaseAddressBecomesADsn(): void
    {
        self::assertSame(
            ['mysql:host=db;port=3306;dbname=legacy;charset=utf8mb4', 'user', 'p@ss/word'],
            parse_database_url('mysql://user:p%40ss%2Fword@db/legacy')
        );
    }

    public function testASessionAddressBecomesASavePath(): void
    {
        self::assertSame(
            'tcp://sessions:6379?auth=p%40ss&database=0&timeout=3',
            session_save_path_of('redis://:p%40ss@sessions:6379/0')
        );
    }
}
