<?php

declare(strict_types=1);

namespace Accounting;

use RuntimeException;

/** What service.yaml declares, as the program reads it. */
final class Config
{
    private function __construct(
        public readonly string $version,
        public readonly string $databaseUrl,
        public readonly string $company,
        public readonly string $homeUrl,
        public readonly string $currency,
        public readonly string $banner,
        public readonly string $closedUntil,
    ) {
    }

    /** @param array<string, string> $env */
    public static function fromEnvironment(array $env): self
    {
        $required = static fn (string $key): string => ($env[$key] ?? '') !== ''
            ? $env[$key]
            : throw new RuntimeException("$key is not set");

        return new self(
            version: $required('APP_VERSION'),
            databaseUrl: $required('DATABASE_URL'),
            company: $required('COMPANY_NAME'),
            homeUrl: $required('HOME_URL'),
            currency: $required('CURRENCY'),
            banner: $env['BANNER'] ?? '',
            closedUntil: $env['BOOKS_CLOSED_UNTIL'] ?? '',
        );
    }
}
