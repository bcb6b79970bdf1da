# Inside the sandbox: call the submission's method, and write what each call returns.
#
# The lines of standard input and the records on descriptor 5 are those of the harness for Python
# (harness/call.py), and values are written as in harness/common.py; the header names besides what
# the submission's comments say is a TreeNode or a ListNode.

require 'json'
require 'set'

module ScaleboxCall
  CANDIDATE = 'candidate.rb'
  LOADING = -1
  MOST_DEPTH = 200
  MOST_NODES = 1_000_000
  CHANNEL = IO.for_fd(5, 'wb', autoclose: false)
  # How JSON is made of a text that it is given: what the submission loads may change that.
  GENERATOR = JSON::State.new(ascii_only: true)

  class Unserialisable < StandardError; end

  module_function

  # --- values that come in -------------------------------------------------------------------

  def decode(tree)
    return tree.map { |item| decode(item) } if tree.is_a?(Array)
    return tree unless tree.is_a?(Hash)

    tag, body = tree.first
    case tag
    when 'm' then body.transform_values { |item| decode(item) }
    when 't' then decode(body)
    when 'd' then body.to_h { |key, value| [decode(key), decode(value)] }
    when 'i' then body.to_i(16)
    when 'f' then { 'nan' => Float::NAN, 'inf' => Float::INFINITY, '-inf' => -Float::INFINITY }[body]
    else raise TypeError, 'Ruby has no value for an argument'
    end
  end

  def shaped(value, shape)
    return value if shape.nil? || shape.empty? || !value.is_a?(Array)
    return value.map { |item| shaped(item, shape[0...-2]) } if shape.end_with?('[]')

    shape == 'ListNode' ? linked(value) : rooted(value)
  end

  def linked(values)
    values.reverse.reduce(nil) do |head, value|
      node = ListNode.new(value)
      node.next = head
      node
    end
  end

  def rooted(values)
    return nil if values.empty? || values[0].nil?

    nodes = [TreeNode.new(values[0])]
    values.drop(1).each_with_index do |value, at|
      raise TypeError, 'a tree with values below no node' if at / 2 >= nodes.size
      next if value.nil?

      node = TreeNode.new(value)
      above = nodes[at / 2]
      at.even? ? above.left = node : above.right = node
      nodes << node
    end
    nodes[0]
  end

  # --- values that go out --------------------------------------------------------------------

  def quoted(text)
    text = text.encode('UTF-8')
    raise Unserialisable, 'a text that is not UTF-8' unless text.valid_encoding?

    GENERATOR.generate(text)
  rescue EncodingError
    raise Unserialisable, 'a text that is not UTF-8'
  end

  def write(value, depth = 0)
    case value
    when nil, true, false then value.nil? ? 'null' : value.to_s
    when Integer
      value.bit_length < 64 ? value.to_s : "{\"i\":\"#{value.to_s(16)}\"}"
    when Float
      return value.to_s if value.finite?

      "{\"f\":\"#{value.nan? ? 'nan' : value.positive? ? 'inf' : '-inf'}\"}"
    when String then quoted(value)
    when Symbol then quoted(value.to_s)
    else write_many(value, depth)
    end
  end

  def write_many(value, depth)
    raise Unserialisable, 'nested more than 200 deep' if depth >= MOST_DEPTH

    case value
    when Array then write_items(value, depth)
    when Set then "{\"s\":#{write_items(value, depth)}}"
    when Hash then write_pairs(value, depth)
    when ListNode, TreeNode then write_items(values(value), depth)
    else raise Unserialisable, "an object of #{value.class}"
    end
  end

  def write_items(items, depth)
    "[#{items.map { |item| write(item, depth + 1) }.join(',')}]"
  end

  def write_pairs(pairs, depth)
    written = pairs.map { |key, value| [write(key, depth + 1), write(value, depth + 1)] }
    if pairs.keys.all? { |key| key.is_a?(String) || key.is_a?(Symbol) }
      return "{\"m\":{#{written.map { |key, value| "#{key}:#{value}" }.join(',')}}}"
    end

    "{\"d\":[#{written.map { |key, value| "[#{key},#{value}]" }.join(',')}]}"
  end

  def values(node)
    found = []
    if node.is_a?(ListNode)
      while node
        note(found, node.val)
        node = node.next
      end
      return found
    end
    waiting = [node]
    finish = 0
    waiting.each_with_index do |at, turn|
      note(found, at && at.val)
      next if at.nil?

      finish = turn + 1
      waiting.push(at.left, at.right)
    end
    # Of what is missing only what has something after it is told.
    found.take(finish)
  end

  def note(found, value)
    if found.size == MOST_NODES
      raise Unserialisable, 'more than a million nodes, or nodes in a circle'
    end

    found << value
  end

  def write_shaped(value, shape)
    return write(value) if shape.nil? || shape.empty?
    if shape.end_with?('[]') && value.is_a?(Array)
      return "[#{value.map { |item| write_shaped(item, shape[0...-2]) }.join(',')}]"
    end

    value.nil? ? '[]' : write(value)
  end

  # As Ruby itself says it.
  def describe(error)
    place = (error.backtrace || []).grep(/candidate\.rb:(\d+)/) { $1 }.first
    words = "#{error.message[0, 300]} (#{error.class})".encode('UTF-8', invalid: :replace, undef: :replace)
    words.scrub('?') + (place ? " (#{CANDIDATE}, line #{place})" : '')
  rescue Exception
    "an exception that cannot be shown (#{error.class})"
  end

  # --- the run -------------------------------------------------------------------------------

  def record(index, kind, text)
    line = "{\"i\":#{index},\"#{kind}\":#{text}}\n".b
    line = line.byteslice(CHANNEL.syswrite(line)..) until line.empty?
  end

  # What is to be called, with a fresh object for each call: one must not prepare the next.
  def caller_of(name)
    own = Object.private_method_defined?(name, false) || Object.method_defined?(name, false)
    return TOPLEVEL_BINDING.receiver.method(name) if own

    if Object.const_defined?(:Solution)
      solution = Object.const_get(:Solution)
      return solution.method(name) if solution.singleton_methods.include?(name)
      if solution.is_a?(Class) && (solution.method_defined?(name) || solution.private_method_defined?(name, false))
        return ->(*args) { solution.new.send(name, *args) }
      end
    end
    raise NameError, "the submission defines no method #{name} and no class Solution with one"
  end

  def load_candidate
    compiled = begin
      RubyVM::InstructionSequence.compile_file(File.expand_path(CANDIDATE))
    rescue SyntaxError => e
      record(LOADING, 'c', quoted(e.message.scrub('?')[0, 500]))
      exit!(0)
    end
    compiled.eval
  end

  def call(callable, line, shapes, result)
    index, args = JSON.parse(line, max_nesting: false)
    begin
      given = args.each_with_index.map { |arg, at| shaped(decode(arg), shapes[at]) }
      value = callable.call(*given)
    rescue Exception => e
      return record(index, 'e', quoted(describe(e)))
    end
    begin
      text = write_shaped(value, result)
    rescue Unserialisable => e
      return record(index, 'u', quoted(e.message))
    rescue Exception => e
      return record(index, 'u', quoted(describe(e)))
    end
    record(index, 'v', text)
  end

  def run
    header, *lines = $stdin.read.split("\n")
    header = JSON.parse(header)
    begin
      load_candidate
      define_nodes
      callable = caller_of(header['function'].to_sym)
    rescue Exception => e
      record(LOADING, 'e', quoted(describe(e)))
      lines = []
    else
      record(LOADING, 'v', 'null')
    end
    lines.each { |line| call(callable, line, header['args'] || [], header['result']) }
    $stdout.flush
    # Threads that the submission left running have no say any more.
    exit!(0)
  end

  # The nodes that sites define beforehand, where a submission does not define them.
  def define_nodes
    Object.class_eval(<<~RUBY) unless Object.const_defined?(:ListNode)
      class ListNode
        attr_accessor :val, :next
        def initialize(val = 0, _next = nil)
          @val = val
          @next = _next
        end
      end
    RUBY
    Object.class_eval(<<~RUBY) unless Object.const_defined?(:TreeNode)
      class TreeNode
        attr_accessor :val, :left, :right
        def initialize(val = 0, left = nil, right = nil)
          @val = val
          @left = left
          @right = right
        end
      end
    RUBY
  end
end

ScaleboxCall.run
