<?php

declare(strict_types=1);

namespace Accounting;

use PHPUnit\Framework\TestCase;

final class MigrationsTest extends TestCase
{
    private const FOLDER = __DIR__ . '/../migrations';

    public function testFilesComeInTheOrderOfTheirNumbers(): void
    {
        self::assertSame(['001_entries.sql', '002_entries_label.sql'], Migrations::files(self::FOLDER . '/expand'));
    }

    public function testAFileIsSplitIntoStatementsWithoutItsComments(): void
    {
        $sql = file_get_contents(self::FOLDER . '/contract/003_entries_wording.sql');

        self::assertSame(
            ['UPDATE', 'ALTER', 'ALTER'],
            array_map(static fn (string $statement): string => strtok(trim($statement), ' '), Migrations::statements($sql)),
        );
    }

    public function testTheExpandStepDropsNothing(): void
    {
        foreach (glob(self::FOLDER . '/expand/*.sql') as $file) {
            self::assertStringNotContainsString('DROP', file_get_contents($file));
        }
    }
}
