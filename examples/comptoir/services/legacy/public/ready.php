<?php

declare(strict_types=1);

require __DIR__ . '/../inc/start.php';

Legacy\connect()->query('SELECT 1');
Legacy\answer_state('ready');
