<?php

declare(strict_types=1);

namespace Invoicing;

use RuntimeException;

/** What service.yaml declares, as the program reads it. */
final class Config
{
    private function __construct(
        public readonly string $version,
        public readonly string $databaseUrl,
        public readonly string $sessionUrl,
        public readonly string $sessionName,
        public readonly string $queueUrl,
        public readonly string $accountingUrl,
        public readonly string $company,
        public readonly string $homeUrl,
        public readonly string $currency,
        public readonly string $vatRate,
        public readonly int $reminderDays,
        public readonly string $banner,
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
            sessionUrl: $required('SESSION_URL'),
            sessionName: $required('SESSION_NAME'),
            queueUrl: $required('QUEUE_URL'),
            accountingUrl: rtrim($required('ACCOUNTING_URL'), '/'),
            company: $required('COMPANY_NAME'),
            homeUrl: $required('HOME_URL'),
            currency: $required('CURRENCY'),
            vatRate: $required('VAT_RATE'),
            reminderDays: (int) ($env['REMINDER_DAYS'] ?? 30),
            banner: $env['BANNER'] ?? '',
        );
    }
}
