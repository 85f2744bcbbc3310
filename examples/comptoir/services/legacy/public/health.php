<?php

declare(strict_types=1);

require __DIR__ . '/../inc/start.php';

Legacy\answer_state('ok');
