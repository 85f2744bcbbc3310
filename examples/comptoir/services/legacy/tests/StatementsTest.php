<?php

declare(strict_types=1);

namespace Legacy;

use PHPUnit\Framework\TestCase;

final class StatementsTest extends TestCase
{
    public function testAFileIsSplitIntoStatementsWithoutItsComments(): void
    {
        self::assertSame(['SELECT 1', 'SELECT 2'], statements("-- why\nSELECT 1;\nSELECT 2;\n"));
    }
}
