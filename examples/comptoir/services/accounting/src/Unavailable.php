<?php

declare(strict_types=1);

namespace Accounting;

use RuntimeException;

/** Something that this service leans on is away for a moment: answered with 503. */
final class Unavailable extends RuntimeException
{
}
