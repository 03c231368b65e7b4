//! Follows the invocations of a shader through its text, as naga reads it, and notes where each touches memory that it shares with others.
//! Whole numbers and truth values are computed; floating-point numbers are not, since no place depends on them: a comparison of them is
//! false. Storage buffers hold nothing.

use std::collections::HashMap;
use std::rc::Rc;

use naga::back::pipeline_constants::process_overrides;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{
    AddressSpace, BinaryOperator, Binding, Block, BuiltIn, Expression, Function, Handle, Literal, MathFunction, Module,
    ScalarKind, ShaderStage, Statement, Type, TypeInner, UnaryOperator,
};
use wgpu_mlp::kernels::Kernel;

/// One access of one invocation to workgroup memory or a storage buffer.
#[derive(Clone, Copy)]
pub struct Touch {
    /// Where in the shader's text, and in which of its turns: accesses that invocations make side by side have the same.
    pub when: (usize, u64),
    /// Barriers that the invocation has passed, of those for memory of this kind.
    pub barriers: u32,
    /// Number of the variable.
    pub variable: usize,
    /// Whether it lies in workgroup memory.
    pub in_workgroup: bool,
    pub writes: bool,
    /// The first byte, from where the variable starts.
    pub byte: u32,
    /// How many bytes.
    pub bytes: u32,
}

#[derive(Clone, Debug)]
enum Value {
    /// A whole number, or a truth value.
    Number(u32),
    /// A floating-point number, or several.
    Float,
    Many(Rc<Vec<Value>>),
    Pointer(Variable, Rc<Vec<u32>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Variable {
    Global(Handle<naga::GlobalVariable>),
    /// Of the call of that number.
    Local(usize, Handle<naga::LocalVariable>),
}

/// How a block ends.
enum Flow {
    Next,
    Break,
    Continue,
    Return(Option<Value>),
}

/// An invocation on its way.
pub struct Lane<'a> {
    module: &'a Module,
    memory: HashMap<Variable, Value>,
    calls: usize,
    /// Turns of the loops and places of the calls that it is in.
    turn: u64,
    /// Barriers passed: those for workgroup memory, and those for storage buffers.
    barriers: [u32; 2],
    touches: Vec<Touch>,
}

struct Frame<'a> {
    function: &'a Function,
    number: usize,
    arguments: Vec<Value>,
    values: Vec<Option<Value>>,
}

/// A kernel's text as a module, with the constants of a variant.
pub fn read(source: &str, kernel: &Kernel, variant: usize) -> Module {
    let module =
        naga::front::wgsl::parse_str(source).unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).unwrap();
    let constants = kernel.variants[variant].constants.iter().map(|&(name, value)| (name.to_string(), value)).collect();
    let entry = Some((ShaderStage::Compute, kernel.name));
    let (module, _) = process_overrides(&module, &info, entry, &constants).unwrap();
    module.into_owned()
}

/// The line of a text in which a byte stands.
pub fn line(source: &str, at: usize) -> &str {
    let start = source[..at].rfind('\n').map_or(0, |at| at + 1);
    source[start..].lines().next().unwrap_or_default().trim()
}

/// What an invocation of the only entry point touches; `uniform` says what a member of a uniform is by its name.
pub fn follow(module: &Module, lane: u32, uniform: &dyn Fn(&str) -> u32) -> Vec<Touch> {
    let entry = &module.entry_points[0].function;
    let mut on_its_way =
        Lane { module, memory: HashMap::new(), calls: 0, turn: 0, barriers: [0; 2], touches: Vec::new() };
    for (handle, variable) in module.global_variables.iter() {
        let value = match variable.space {
            AddressSpace::Uniform => on_its_way.named(variable.ty, uniform),
            AddressSpace::Private => on_its_way.zero(variable.ty),
            _ => continue,
        };
        on_its_way.memory.insert(Variable::Global(handle), value);
    }
    let builtin = |argument: &naga::FunctionArgument| match argument.binding {
        Some(Binding::BuiltIn(BuiltIn::LocalInvocationIndex)) => Value::Number(lane),
        Some(Binding::BuiltIn(BuiltIn::NumWorkGroups)) => many(vec![Value::Number(1); 3]),
        Some(Binding::BuiltIn(BuiltIn::WorkGroupId)) => many(vec![Value::Number(0); 3]),
        ref other => panic!("an argument that no kernel has: {other:?}"),
    };
    on_its_way.call(entry, entry.arguments.iter().map(builtin).collect());
    on_its_way.touches
}

impl<'a> Lane<'a> {
    fn call(&mut self, function: &'a Function, arguments: Vec<Value>) -> Option<Value> {
        self.calls += 1;
        let mut frame =
            Frame { function, number: self.calls, arguments, values: vec![None; function.expressions.len()] };
        for (handle, variable) in function.local_variables.iter() {
            let value = match variable.init {
                Some(init) => self.value(&mut frame, init),
                None => self.zero(variable.ty),
            };
            self.memory.insert(Variable::Local(frame.number, handle), value);
        }
        match self.block(&mut frame, &function.body) {
            Flow::Return(value) => value,
            _ => None,
        }
    }

    fn block(&mut self, frame: &mut Frame<'a>, block: &'a Block) -> Flow {
        for statement in block.iter() {
            match statement {
                Statement::Emit(range) => {
                    for handle in range.clone() {
                        let value = self.compute(frame, handle);
                        frame.values[handle.index()] = Some(value);
                    }
                }
                Statement::Block(inner) => match self.block(frame, inner) {
                    Flow::Next => {}
                    other => return other,
                },
                Statement::If { condition, accept, reject } => {
                    let is = self.number(frame, *condition) != 0;
                    match self.block(frame, if is { accept } else { reject }) {
                        Flow::Next => {}
                        other => return other,
                    }
                }
                Statement::Switch { selector, cases } => {
                    let found = self.number(frame, *selector);
                    let is = |value: &naga::SwitchValue| match value {
                        naga::SwitchValue::U32(value) => *value == found,
                        naga::SwitchValue::I32(value) => *value as u32 == found,
                        naga::SwitchValue::Default => false,
                    };
                    let default = |value: &naga::SwitchValue| *value == naga::SwitchValue::Default;
                    let case =
                        cases.iter().find(|case| is(&case.value)).or(cases.iter().find(|case| default(&case.value)));
                    match self.block(frame, &case.unwrap().body) {
                        Flow::Next | Flow::Break => {}
                        other => return other,
                    }
                }
                Statement::Loop { body, continuing, break_if } => {
                    let outside = self.turn;
                    let mut turns = 0;
                    let end = loop {
                        turns += 1;
                        self.turn = mix(outside, turns);
                        match self.block(frame, body) {
                            Flow::Next | Flow::Continue => {}
                            Flow::Break => break Flow::Next,
                            other => break other,
                        }
                        self.block(frame, continuing);
                        if break_if.is_some_and(|condition| self.number(frame, condition) != 0) {
                            break Flow::Next;
                        }
                    };
                    self.turn = outside;
                    if let Flow::Return(value) = end {
                        return Flow::Return(value);
                    }
                }
                Statement::Break => return Flow::Break,
                Statement::Continue => return Flow::Continue,
                Statement::Return { value } => return Flow::Return(value.map(|value| self.value(frame, value))),
                Statement::ControlBarrier(kind) => {
                    self.barriers[0] += u32::from(kind.contains(naga::Barrier::WORK_GROUP));
                    self.barriers[1] += u32::from(kind.contains(naga::Barrier::STORAGE));
                }
                Statement::Store { pointer, value } => {
                    let value = self.value(frame, *value);
                    let Value::Pointer(variable, path) = self.value(frame, *pointer) else { panic!("no pointer") };
                    self.touch(frame.function, *pointer, variable, &path, true);
                    if let Some(whole) = self.memory.get_mut(&variable) {
                        put(whole, &path, value);
                    }
                }
                Statement::Call { function, arguments, result } => {
                    let arguments = arguments.iter().map(|&argument| self.value(frame, argument)).collect();
                    let outside = self.turn;
                    self.turn = mix(outside, std::ptr::from_ref(statement).addr() as u64);
                    let value = self.call(&self.module.functions[*function], arguments);
                    self.turn = outside;
                    if let (Some(result), Some(value)) = (result, value) {
                        frame.values[result.index()] = Some(value);
                    }
                }
                other => panic!("a statement that no kernel has: {other:?}"),
            }
        }
        Flow::Next
    }

    fn value(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Value {
        match &frame.values[handle.index()] {
            Some(value) => value.clone(),
            None => self.compute(frame, handle),
        }
    }

    fn number(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> u32 {
        match self.value(frame, handle) {
            Value::Number(number) => number,
            Value::Float => 0, // as if a floating-point number never met its condition
            other => panic!("no number: {other:?}"),
        }
    }

    fn compute(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Value {
        match frame.function.expressions[handle] {
            Expression::FunctionArgument(index) => frame.arguments[index as usize].clone(),
            Expression::GlobalVariable(global) => Value::Pointer(Variable::Global(global), Rc::default()),
            Expression::LocalVariable(local) => Value::Pointer(Variable::Local(frame.number, local), Rc::default()),
            Expression::Load { pointer } => {
                let Value::Pointer(variable, path) = self.value(frame, pointer) else { panic!("no pointer") };
                self.touch(frame.function, pointer, variable, &path, false);
                match (self.memory.get(&variable), variable) {
                    (Some(whole), _) => get(whole, &path),
                    (None, Variable::Global(global)) => {
                        let (_, ty) = self.place(self.module.global_variables[global].ty, &path);
                        self.zero(ty)
                    }
                    (None, Variable::Local(..)) => panic!("a local variable without a value"),
                }
            }
            Expression::CallResult(_) => panic!("a call without a result"),
            ref other => self.pure(other, &mut |lane, handle| lane.value(frame, handle)),
        }
    }

    /// What constants may be, too; `of` has the values of the expressions that it is made of.
    fn pure(&mut self, expression: &Expression, of: &mut dyn FnMut(&mut Self, Handle<Expression>) -> Value) -> Value {
        match *expression {
            Expression::Literal(literal) => match literal {
                Literal::U32(value) => Value::Number(value),
                Literal::I32(value) => Value::Number(value as u32),
                Literal::Bool(value) => Value::Number(value.into()),
                _ => Value::Float,
            },
            Expression::Constant(constant) => self.constant(self.module.constants[constant].init),
            Expression::ZeroValue(ty) => self.zero(ty),
            Expression::Compose { ref components, ty } => {
                if self.is_float(ty) {
                    return Value::Float;
                }
                let is_vector = matches!(self.module.types[ty].inner, TypeInner::Vector { .. });
                let mut values = Vec::new();
                for &component in components {
                    match of(self, component) {
                        // Vectors may be made of vectors.
                        Value::Many(several) if is_vector => values.extend(several.iter().cloned()),
                        value => values.push(value),
                    }
                }
                many(values)
            }
            Expression::Access { base, index } => {
                let Value::Number(index) = of(self, index) else { panic!("no index") };
                inside(of(self, base), index)
            }
            Expression::AccessIndex { base, index } => inside(of(self, base), index),
            Expression::Splat { size, value } => match of(self, value) {
                Value::Float => Value::Float,
                value => many(vec![value; size as usize]),
            },
            Expression::Swizzle { size, vector, pattern } => match of(self, vector) {
                Value::Many(values) => {
                    many(pattern[..size as usize].iter().map(|&lane| values[lane as usize].clone()).collect())
                }
                other => other,
            },
            Expression::Unary { op, expr } => map1(&of(self, expr), &|value| match op {
                UnaryOperator::Negate => value.wrapping_neg(),
                UnaryOperator::LogicalNot => u32::from(value == 0),
                UnaryOperator::BitwiseNot => !value,
            }),
            Expression::Binary { op, left, right } => {
                map2(&of(self, left), &of(self, right), &|left, right| binary(op, left, right))
            }
            Expression::Select { condition, accept, reject } => {
                match (of(self, condition), of(self, accept), of(self, reject)) {
                    (_, Value::Float, _) => Value::Float,
                    (Value::Many(is), Value::Many(accept), Value::Many(reject)) => {
                        let each = is.iter().zip(accept.iter().zip(reject.iter()));
                        many(each.map(|(is, (a, b))| if holds(is) { a.clone() } else { b.clone() }).collect())
                    }
                    (is, accept, _) if holds(&is) => accept,
                    (_, _, reject) => reject,
                }
            }
            Expression::Math { fun, arg, arg1, .. } => match (fun, of(self, arg), arg1.map(|arg| of(self, arg))) {
                (_, Value::Float, _) => Value::Float,
                (MathFunction::Min, a, Some(b)) => map2(&a, &b, &u32::min),
                (MathFunction::Max, a, Some(b)) => map2(&a, &b, &u32::max),
                (MathFunction::FirstLeadingBit, a, _) => map1(&a, &|a| a.checked_ilog2().unwrap_or(u32::MAX)),
                (MathFunction::CountLeadingZeros, a, _) => map1(&a, &u32::leading_zeros),
                (other, ..) => panic!("a function of whole numbers that no kernel has: {other:?}"),
            },
            Expression::As { expr, kind, .. } => match (of(self, expr), kind) {
                (_, ScalarKind::Float) => Value::Float,
                (Value::Float, _) => Value::Number(0),
                (value, _) => value,
            },
            ref other => panic!("an expression that no kernel has: {other:?}"),
        }
    }

    fn constant(&mut self, handle: Handle<Expression>) -> Value {
        let module = self.module;
        self.pure(&module.global_expressions[handle], &mut |lane, handle| lane.constant(handle))
    }

    fn is_float(&self, ty: Handle<Type>) -> bool {
        match self.module.types[ty].inner {
            TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } => scalar.kind == ScalarKind::Float,
            TypeInner::Matrix { .. } => true,
            _ => false,
        }
    }

    fn zero(&self, ty: Handle<Type>) -> Value {
        self.named(ty, &|_| 0)
    }

    /// A value of the type whose members are what their names say.
    fn named(&self, ty: Handle<Type>, member: &dyn Fn(&str) -> u32) -> Value {
        match &self.module.types[ty].inner {
            _ if self.is_float(ty) => Value::Float,
            TypeInner::Scalar(_) => Value::Number(0),
            TypeInner::Vector { size, .. } => many(vec![Value::Number(0); *size as usize]),
            TypeInner::Struct { members, .. } => {
                let value = |of: &naga::StructMember| match self.named(of.ty, member) {
                    Value::Number(_) => Value::Number(member(of.name.as_deref().unwrap())),
                    other => other,
                };
                many(members.iter().map(value).collect())
            }
            // Of a run of steps two are taken; the third's slot ends the run.
            TypeInner::Array { base, size: naga::ArraySize::Constant(count), .. } => {
                let mut values = vec![self.zero(*base); count.get() as usize];
                (0..2).for_each(|step| values[step] = self.named(*base, member));
                values[2] = self.named(*base, &|name| if name == "slot" { u32::MAX } else { member(name) });
                many(values)
            }
            other => panic!("a type that no kernel has: {other:?}"),
        }
    }

    /// Bytes from the start of a type, and the type there.
    fn place(&self, ty: Handle<Type>, path: &[u32]) -> (u32, Handle<Type>) {
        let Some((&index, rest)) = path.split_first() else { return (0, ty) };
        let (offset, inner) = match &self.module.types[ty].inner {
            TypeInner::Array { base, stride, .. } => (index * stride, *base),
            TypeInner::Struct { members, .. } => (members[index as usize].offset, members[index as usize].ty),
            TypeInner::Vector { scalar, .. } => {
                let is_scalar = |ty: &Type| ty.inner == TypeInner::Scalar(*scalar);
                let (ty, _) = self.module.types.iter().find(|(_, ty)| is_scalar(ty)).unwrap();
                (index * u32::from(scalar.width), ty)
            }
            other => panic!("nothing is inside {other:?}"),
        };
        let (more, found) = self.place(inner, rest);
        (offset + more, found)
    }

    fn touch(&mut self, function: &Function, pointer: Handle<Expression>, of: Variable, path: &[u32], writes: bool) {
        let Variable::Global(handle) = of else { return };
        let global = &self.module.global_variables[handle];
        let in_workgroup = global.space == AddressSpace::WorkGroup;
        if in_workgroup || matches!(global.space, AddressSpace::Storage { .. }) {
            let (byte, ty) = self.place(global.ty, path);
            let bytes = self.module.types[ty].inner.size(self.module.to_ctx());
            let site = function.expressions.get_span(pointer).to_range().map_or(0, |range| range.start);
            let (when, variable) = ((site, self.turn), handle.index());
            let barriers = self.barriers[usize::from(!in_workgroup)];
            self.touches.push(Touch { when, barriers, variable, in_workgroup, writes, byte, bytes });
        }
    }
}

fn mix(turn: u64, next: u64) -> u64 {
    (turn ^ next).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ next
}

fn inside(base: Value, index: u32) -> Value {
    match base {
        Value::Pointer(variable, mut path) => {
            Rc::make_mut(&mut path).push(index);
            Value::Pointer(variable, path)
        }
        Value::Many(values) => values[index as usize].clone(),
        other => other,
    }
}

fn get(whole: &Value, path: &[u32]) -> Value {
    match (whole, path) {
        (Value::Many(values), [index, rest @ ..]) => get(&values[*index as usize], rest),
        _ => whole.clone(),
    }
}

fn put(whole: &mut Value, path: &[u32], value: Value) {
    match (whole, path) {
        (Value::Many(values), [index, rest @ ..]) => put(&mut Rc::make_mut(values)[*index as usize], rest, value),
        (Value::Float, _) => {}
        (whole, _) => *whole = value,
    }
}

fn many(values: Vec<Value>) -> Value {
    Value::Many(Rc::new(values))
}

fn holds(condition: &Value) -> bool {
    matches!(condition, Value::Number(1..))
}

fn map1(value: &Value, of: &dyn Fn(u32) -> u32) -> Value {
    match value {
        Value::Number(value) => Value::Number(of(*value)),
        Value::Many(values) => many(values.iter().map(|value| map1(value, of)).collect()),
        _ => Value::Float,
    }
}

fn map2(left: &Value, right: &Value, of: &dyn Fn(u32, u32) -> u32) -> Value {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Value::Number(of(*left, *right)),
        (Value::Many(lefts), Value::Many(rights)) => {
            many(lefts.iter().zip(rights.iter()).map(|(left, right)| map2(left, right, of)).collect())
        }
        // A vector by a number.
        (Value::Many(lefts), Value::Number(_)) => many(lefts.iter().map(|left| map2(left, right, of)).collect()),
        (Value::Number(_), Value::Many(rights)) => many(rights.iter().map(|right| map2(left, right, of)).collect()),
        _ => Value::Float,
    }
}

fn binary(op: BinaryOperator, left: u32, right: u32) -> u32 {
    match op {
        BinaryOperator::Add => left.wrapping_add(right),
        BinaryOperator::Subtract => left.wrapping_sub(right),
        BinaryOperator::Multiply => left.wrapping_mul(right),
        BinaryOperator::Divide => left / right,
        BinaryOperator::Modulo => left % right,
        BinaryOperator::Equal => (left == right).into(),
        BinaryOperator::NotEqual => (left != right).into(),
        BinaryOperator::Less => (left < right).into(),
        BinaryOperator::LessEqual => (left <= right).into(),
        BinaryOperator::Greater => (left > right).into(),
        BinaryOperator::GreaterEqual => (left >= right).into(),
        BinaryOperator::And | BinaryOperator::LogicalAnd => left & right,
        BinaryOperator::ExclusiveOr => left ^ right,
        BinaryOperator::InclusiveOr | BinaryOperator::LogicalOr => left | right,
        BinaryOperator::ShiftLeft => left.wrapping_shl(right),
        BinaryOperator::ShiftRight => left.wrapping_shr(right),
    }
}
