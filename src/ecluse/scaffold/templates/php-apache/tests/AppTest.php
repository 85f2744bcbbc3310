<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/../src/app.php';

final class AppTest extends TestCase
{
    private const CONFIG = ['GREETING' => 'Bonjour', 'APP_VERSION' => '1.4'];

    public function testThePageGreets(): void
    {
        [$status, , $body] = respond('/', self::CONFIG);
        self::assertSame([200, "Bonjour, this is {{service}}.\n"], [$status, $body]);
    }

    public function testHealthTellsTheVersion(): void
    {
        [$status, , $body] = respond('/health', self::CONFIG);
        self::assertSame([200, '{"status":"ok","version":"1.4"}'], [$status, $body]);
    }

    public function testOtherAddressesAreNotFound(): void
    {
        self::assertSame(404, respond('/nowhere', self::CONFIG)[0]);
    }
}
