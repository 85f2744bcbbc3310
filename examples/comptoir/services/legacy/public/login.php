<?php

declare(strict_types=1);

namespace Legacy;

require __DIR__ . '/../inc/start.php';

open_session();
$name = trim($_POST['name'] ?? '');
$isPost = $_SERVER['REQUEST_METHOD'] === 'POST';
if ($isPost && is_password_of(connect(), $name, $_POST['password'] ?? '')) {
    log_in($name);
    redirect('/');
}
if ($isPost) {
    http_response_code(401);
}

page_top('Connexion');
?>
<?php if ($isPost) { ?>
<p class="error">Ce compte et ce mot de passe ne vont pas ensemble.</p>
<?php } ?>
<form method="post">
    <label>Compte <input name="name" value="<?= e($name) ?>" required autofocus></label>
    <label>Mot de passe <input name="password" type="password" required></label>
    <button>Entrer</button>
</form>
<?php
page_bottom();
