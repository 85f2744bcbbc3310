#!/usr/bin/php
echo hello
