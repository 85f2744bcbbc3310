<?php

declare(strict_types=1);

namespace Invoicing;

use Redis;
use RedisException;

/** The worker's jobs, in Redis: numbers of invoices. The database knows what is left to do if they get lost. */
final class Queue
{
    private const KEY = 'invoicing:jobs';

    private ?Redis $redis = null;

    public function __construct(private readonly string $url)
    {
    }

    /** @throws Unavailable */
    public function add(int $id): void
    {
        $this->call(static fn (Redis $redis) => $redis->rPush(self::KEY, (string) $id));
    }

    /**
     * @return int|null null when nothing came
     * @throws Unavailable
     */
    public function take(int $seconds): ?int
    {
        $job = $this->call(static fn (Redis $redis) => $redis->blPop([self::KEY], $seconds));

        return $job ? (int) $job[1] : null;
    }

    private function call(callable $command): mixed
    {
        try {
            return $command($this->redis ??= $this->connect());
        } catch (RedisException $e) {
            $this->redis = null;
            throw new Unavailable('the queue does not answer', previous: $e);
        }
    }

    private function connect(): Redis
    {
        $part = parse_url($this->url);
        $redis = new Redis();
        $redis->connect($part['host'], $part['port'] ?? 6379, 3, null, 0, 10);
        if (($part['pass'] ?? '') !== '') {
            $redis->auth(rawurldecode($part['pass']));
        }
        $redis->select((int) ltrim($part['path'] ?? '', '/'));

        return $redis;
    }
}
