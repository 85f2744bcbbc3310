<?php

declare(strict_types=1);

namespace Invoicing;

use RuntimeException;

/** The accounting service, called by its internal name. */
final class Accounting
{
    /** @param string $traceparent W3C Trace Context of the request that is being answered, if any */
    public function __construct(private readonly string $url, private readonly string $traceparent = '')
    {
    }

    /**
     * May be called again with the same entry: accounting knows it by source and reference.
     *
     * @param array<string, int|string> $entry
     * @throws Unavailable
     */
    public function post(array $entry): void
    {
        $headers = array_filter([
            'Content-Type: application/json',
            $this->traceparent !== '' ? "traceparent: $this->traceparent" : '',
        ]);
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => $headers,
            'content' => json_encode($entry, JSON_THROW_ON_ERROR),
            'timeout' => 3,
            'ignore_errors' => true,
        ]]);
        $answer = @file_get_contents("$this->url/entries", context: $context);
        $status = $answer === false ? 0 : (int) explode(' ', $http_response_header[0])[1];

        match (true) {
            $status === 200, $status === 201 => null,
            $status === 0, $status >= 500 => throw new Unavailable("accounting does not answer (status $status)"),
            default => throw new RuntimeException("accounting refused {$entry['reference']}: $answer"),
        };
    }
}
