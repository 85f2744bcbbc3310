<?php

declare(strict_types=1);

namespace Accounting;

use DomainException;

/** The caller's mistake: answered with 422. */
final class Invalid extends DomainException
{
}
