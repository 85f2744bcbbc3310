<?php

declare(strict_types=1);

namespace Legacy;

use RuntimeException;

const SETTINGS_FILE = '/config/legacy.env';
const REQUIRED_SETTINGS = [
    'APP_VERSION', 'DATABASE_URL', 'SESSION_URL', 'SESSION_NAME', 'COOKIE_DOMAIN', 'COMPANY_NAME', 'DEMO_PASSWORD',
    'ACCOUNTING_PUBLIC_URL', 'INVOICING_PUBLIC_URL', 'PAYROLL_PUBLIC_URL', 'ADMIN_PUBLIC_URL',
];

/** The keys of service.yaml: from the settings file, or from variables where there is no file. */
function settings(): array
{
    static $settings = null;
    if ($settings === null) {
        $settings = check_settings(is_file(SETTINGS_FILE)
            ? parse_settings(file_get_contents(SETTINGS_FILE))
            : getenv());
    }

    return $settings;
}

function check_settings(array $settings): array
{
    foreach (REQUIRED_SETTINGS as $key) {
        if (($settings[$key] ?? '') === '') {
            throw new RuntimeException("$key is not set");
        }
    }

    return $settings + ['BANNER' => ''];
}

/** Lines KEY=value, KEY="value" (with \" \\ \$ \n inside) or KEY='value'; # starts a comment line. */
function parse_settings(string $text): array
{
    preg_match_all('/^([A-Za-z_]\w*)=(?:"((?:[^"\\\\]|\\\\.)*)"|\'([^\']*)\'|(.*))$/m', $text, $lines, PREG_SET_ORDER);
    $settings = [];
    foreach ($lines as $line) {
        $unescape = static function (array $match): string {
            return $match[1] === 'n' ? "\n" : $match[1];
        };
        $quoted = preg_replace_callback('/\\\\(.)/', $unescape, $line[2] ?? '');
        $settings[$line[1]] = $quoted . ($line[3] ?? '') . trim($line[4] ?? '');
    }

    return $settings;
}
