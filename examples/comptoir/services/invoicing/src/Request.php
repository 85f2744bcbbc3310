<?php

declare(strict_types=1);

namespace Invoicing;

final class Request
{
    /** @param array<string, mixed> $form */
    public function __construct(
        public readonly string $method,
        public readonly string $path,
        public readonly string $body = '',
        public readonly array $form = [],
    ) {
    }

    public static function current(): self
    {
        return new self(
            $_SERVER['REQUEST_METHOD'],
            parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/',
            file_get_contents('php://input'),
            $_POST,
        );
    }

    /**
     * @return array<string, mixed>
     * @throws Invalid
     */
    public function json(): array
    {
        $data = json_decode($this->body, true);

        return is_array($data) ? $data : throw new Invalid('a JSON object is needed');
    }
}
