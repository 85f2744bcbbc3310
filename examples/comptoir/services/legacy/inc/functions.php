<?php

declare(strict_types=1);

namespace Legacy;

require_once __DIR__ . '/settings.php';
require_once __DIR__ . '/database.php';
require_once __DIR__ . '/migrations.php';
require_once __DIR__ . '/session.php';
require_once __DIR__ . '/accounts.php';
require_once __DIR__ . '/customers.php';
require_once __DIR__ . '/pages.php';
