<?php
// Inside the sandbox: call the submission's function, and write what each call returns.
//
// The lines of standard input and the records on descriptor 5 are those of the harness for Python
// (harness/call.py), and values are written as in harness/common.py; the header names besides what
// the submission's comments or types say is a TreeNode or a ListNode.  PHP has one kind of array: one
// that is a list is written as such, any other as a dictionary, and an empty one as either.

final class ScaleboxUnserialisable extends Exception {}

final class ScaleboxCall
{
    private const CANDIDATE = 'candidate.php';
    private const LOADING = -1;
    private const MOST_DEPTH = 200;
    private const MOST_NODES = 1000000;
    /** @var resource */
    private $channel;

    public function __construct()
    {
        $this->channel = fopen('php://fd/5', 'w');
        stream_set_write_buffer($this->channel, 0);
    }

    // --- values that come in -----------------------------------------------------------------

    private static function decode(mixed $tree): mixed
    {
        if (!is_array($tree)) {
            return $tree;
        }
        if (array_is_list($tree)) {
            return array_map(self::decode(...), $tree);
        }
        $tag = array_key_first($tree);
        $body = $tree[$tag];
        switch ($tag) {
            case 'm':
            case 't':
                return array_map(self::decode(...), $body);
            case 'd':
                $pairs = [];
                foreach ($body as [$key, $value]) {
                    $pairs[self::decode($key)] = self::decode($value);
                }
                return $pairs;
            case 'f':
                return ['nan' => NAN, 'inf' => INF, '-inf' => -INF][$body];
            case 'i':
                if (function_exists('gmp_init')) {
                    return gmp_init($body, 16);
                }
                throw new TypeError('PHP has no integers beyond 64 bits here');
            default:
                throw new TypeError('PHP has no value for an argument');
        }
    }

    private static function shaped(mixed $value, string $shape): mixed
    {
        if ($shape === '' || !is_array($value)) {
            return $value;
        }
        if (str_ends_with($shape, '[]')) {
            $inner = substr($shape, 0, -2);
            return array_map(fn ($item) => self::shaped($item, $inner), $value);
        }
        return $shape === 'ListNode' ? self::linked($value) : self::rooted($value);
    }

    private static function linked(array $values): ?object
    {
        $head = null;
        foreach (array_reverse($values) as $value) {
            $node = new ListNode($value);
            $node->next = $head;
            $head = $node;
        }
        return $head;
    }

    private static function rooted(array $values): ?object
    {
        if (!$values || $values[0] === null) {
            return null;
        }
        $nodes = [new TreeNode($values[0])];
        foreach (array_slice($values, 1) as $at => $value) {
            if (intdiv($at, 2) >= count($nodes)) {
                throw new TypeError('a tree with values below no node');
            }
            if ($value !== null) {
                $node = new TreeNode($value);
                $nodes[intdiv($at, 2)]->{$at % 2 ? 'right' : 'left'} = $node;
                $nodes[] = $node;
            }
        }
        return $nodes[0];
    }

    // --- values that go out ------------------------------------------------------------------

    private static function quoted(string $text): string
    {
        $made = json_encode($text);
        if ($made === false) {
            throw new ScaleboxUnserialisable('a text that is not UTF-8');
        }
        return $made;
    }

    private static function write(mixed $value, int $depth): string
    {
        if ($value === null || is_bool($value) || is_int($value)) {
            return json_encode($value);
        }
        if (is_string($value)) {
            return self::quoted($value);
        }
        if (is_float($value)) {
            if (is_finite($value)) {
                return json_encode($value, JSON_PRESERVE_ZERO_FRACTION);
            }
            return '{"f":"' . (is_nan($value) ? 'nan' : ($value > 0 ? 'inf' : '-inf')) . '"}';
        }
        if ($depth >= self::MOST_DEPTH) {
            throw new ScaleboxUnserialisable('nested more than 200 deep');
        }
        if ($value instanceof SplFixedArray) {
            $value = $value->toArray();
        }
        if (is_array($value)) {
            return self::writeArray($value, $depth);
        }
        if ($value instanceof GMP) {
            return '{"i":"' . gmp_strval($value, 16) . '"}';
        }
        if ($value instanceof stdClass) {
            return $value == new stdClass() ? '{"m":{}}' : self::writePairs((array) $value, $depth);
        }
        if ($value instanceof ListNode || $value instanceof TreeNode) {
            return self::write(self::values($value), $depth);
        }
        throw new ScaleboxUnserialisable('a value of type ' . get_debug_type($value));
    }

    private static function writeArray(array $items, int $depth): string
    {
        if (!$items) {
            return '{"n":[]}';
        }
        if (!array_is_list($items)) {
            return self::writePairs($items, $depth);
        }
        $parts = [];
        foreach ($items as $item) {
            $parts[] = self::write($item, $depth + 1);
        }
        return '[' . implode(',', $parts) . ']';
    }

    private static function writePairs(array $items, int $depth): string
    {
        $parts = [];
        foreach ($items as $key => $item) {
            $parts[] = self::quoted((string) $key) . ':' . self::write($item, $depth + 1);
        }
        return '{"m":{' . implode(',', $parts) . '}}';
    }

    private static function values(?object $node): array
    {
        $values = [];
        if ($node instanceof ListNode) {
            for (; $node; $node = $node->next) {
                self::note($values, $node->val);
            }
            return $values;
        }
        $waiting = [$node];
        $end = 0;
        for ($turn = 0; $turn < count($waiting); $turn++) {
            $at = $waiting[$turn];
            self::note($values, $at ? $at->val : null);
            if ($at) {
                $end = $turn + 1;
                array_push($waiting, $at->left, $at->right);
            }
        }
        // Of what is missing only what has something after it is told.
        return array_slice($values, 0, $end);
    }

    private static function note(array &$values, mixed $value): void
    {
        if (count($values) === self::MOST_NODES) {
            $words = 'more than a million nodes, or nodes in a circle';
            throw new ScaleboxUnserialisable($words);
        }
        $values[] = $value;
    }

    private static function writeShaped(mixed $value, string $shape): string
    {
        if (str_ends_with($shape, '[]') && is_array($value)) {
            $inner = substr($shape, 0, -2);
            $parts = array_map(fn ($item) => self::writeShaped($item, $inner), $value);
            return '[' . implode(',', $parts) . ']';
        }
        return $value === null && $shape !== '' ? '[]' : self::write($value, 0);
    }

    private static function describe(Throwable $error): string
    {
        $place = $error->getLine();
        $file = $error->getFile();
        foreach ($error->getTrace() as $frame) {
            if (basename($file) !== self::CANDIDATE) {
                [$file, $place] = [$frame['file'] ?? '', $frame['line'] ?? 0];
            }
        }
        $words = substr(get_class($error) . ': ' . $error->getMessage(), 0, 300);
        $isOwn = basename($file) === self::CANDIDATE;
        $words .= $isOwn ? ' (' . self::CANDIDATE . ", line $place)" : '';
        return json_encode($words, JSON_INVALID_UTF8_SUBSTITUTE);
    }

    // --- the run -----------------------------------------------------------------------------

    private function record(int $index, string $kind, string $text): void
    {
        $line = '{"i":' . $index . ',"' . $kind . '":' . $text . "}\n";
        for ($at = 0; $at < strlen($line); $at += $count) {
            $count = fwrite($this->channel, substr($line, $at));
            if (!$count) {
                exit(1);
            }
        }
    }

    /** What is to be called, with a fresh object for each call: one must not prepare the next. */
    private static function caller(string $name): Closure
    {
        if (in_array(strtolower($name), get_defined_functions()['user'], true)) {
            return fn (array $args) => $name(...$args);
        }
        if (class_exists('Solution') && method_exists('Solution', $name)) {
            return fn (array $args) => (new Solution())->$name(...$args);
        }
        throw new Error(
            "the submission defines no function $name and no class Solution with such a method"
        );
    }

    private function call(Closure $caller, array $line, array $shapes, string $result): void
    {
        [$index, $args] = $line;
        try {
            $given = [];
            foreach ($args as $at => $arg) {
                $given[] = self::shaped(self::decode($arg), $shapes[$at] ?? '');
            }
            $value = $caller($given);
        } catch (Throwable $error) {
            $this->record($index, 'e', self::describe($error));
            return;
        }
        try {
            $text = self::writeShaped($value, $result);
        } catch (ScaleboxUnserialisable $error) {
            $this->record($index, 'u', self::quoted($error->getMessage()));
            return;
        }
        $this->record($index, 'v', $text);
    }

    public function run(): void
    {
        ini_set('serialize_precision', '-1');
        $lines = explode("\n", rtrim(stream_get_contents(STDIN), "\n"));
        $header = json_decode(array_shift($lines), true);
        try {
            require __DIR__ . '/' . self::CANDIDATE;
            scaleboxNodes();
            $caller = self::caller($header['function']);
        } catch (ParseError $error) {
            $this->record(self::LOADING, 'c', self::describe($error));
            exit(0);
        } catch (Throwable $error) {
            $this->record(self::LOADING, 'e', self::describe($error));
            exit(0);
        }
        $this->record(self::LOADING, 'v', 'null');
        foreach ($lines as $line) {
            $one = json_decode($line, true, 100000);
            $this->call($caller, $one, $header['args'] ?? [], $header['result'] ?? '');
        }
        exit(0);
    }
}

/** The nodes that sites define beforehand, where a submission does not define them. */
function scaleboxNodes(): void
{
    if (!class_exists('ListNode')) {
        class ListNode
        {
            public $val;
            public $next;

            public function __construct($val = 0, $next = null)
            {
                $this->val = $val;
                $this->next = $next;
            }
        }
    }
    if (!class_exists('TreeNode')) {
        class TreeNode
        {
            public $val;
            public $left;
            public $right;

            public function __construct($val = 0, $left = null, $right = null)
            {
                $this->val = $val;
                $this->left = $left;
                $this->right = $right;
            }
        }
    }
}

(new ScaleboxCall())->run();
