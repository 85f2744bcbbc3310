<?php

declare(strict_types=1);

namespace Accounting;

final class Response
{
    /** @param array<string, string> $headers */
    private function __construct(
        public readonly int $status,
        public readonly string $body,
        public readonly array $headers,
    ) {
    }

    /** @param array<string, string> $headers */
    public static function json(mixed $data, int $status = 200, array $headers = []): self
    {
        $body = json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);

        return new self($status, "$body\n", ['Content-Type' => 'application/json'] + $headers);
    }

    /** @param array<string, mixed> $values what the view may use */
    public static function page(string $view, array $values): self
    {
        $e = static fn (mixed $text): string => htmlspecialchars((string) $text);
        extract($values);
        ob_start();
        require __DIR__ . "/../views/$view.php";

        return new self(200, ob_get_clean(), ['Content-Type' => 'text/html; charset=utf-8']);
    }

    public function send(): void
    {
        http_response_code($this->status);
        foreach ($this->headers as $name => $value) {
            header("$name: $value");
        }
        echo $this->body;
    }
}
