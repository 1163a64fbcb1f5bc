//! Text of a condition → the detector's. The language is CEL (<https://cel.dev>) by the crate `cel`; of it what can be
//! judged in bounded time over numbers: comparisons, `&&`, `||`, `!`, arithmetic, `in`, `?:` and `has`. All else is refused
//! here, with its place, so that judging has no errors. It means what the crate's own interpreter says it means.
//!
//! Names are metrics: `ch4`, `ENERGY.Power`, `metric["switch:0.apower"]`. `age.ch4` and `age["…"]` are the seconds between
//! the reading and the newest of those that the condition names. All are doubles.

use std::sync::Arc;

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, LiteralValue, SelectExpr, SourceInfo};
use cel::parser::{Expression, Parser};
use outpost_detectors::condition::{Condition, Number, Operator, Relation, Truth};

/// Longest text of a condition.
pub const TEXT_BYTES_MAX: usize = 1_000;
/// Metrics that a condition names.
pub const METRICS_MAX: usize = 32;
/// Deepest nesting: of brackets in the text, and of the expression that it means.
const DEPTH_MAX: u16 = 64;
/// Whole numbers beyond this are not all doubles.
const WHOLE_MAX: u64 = 1 << 53;

const VALUES: &str = "metric";
const AGES: &str = "age";
/// Names that CEL has for its types.
const TYPES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "google",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {} of {}: {message}", at + 1, if *in_clear { "clear_when" } else { "when" })]
pub struct Fault {
    /// Whether it is in `clear_when`.
    pub in_clear: bool,
    /// Byte of the text.
    pub at: usize,
    pub message: String,
    pub hint: Option<String>,
}

type Read<T> = Result<T, Fault>;

/// Reads both texts of a rule.
pub fn parse(when: &str, clear_when: Option<&str>) -> Read<Condition> {
    let mut metrics = Vec::new();
    let when = parse_one(when, &mut metrics)?;
    let in_clear = |fault| Fault { in_clear: true, ..fault };
    let clear_when = clear_when.map(|text| parse_one(text, &mut metrics).map_err(in_clear)).transpose()?;
    Ok(Condition::new(metrics, when, clear_when))
}

fn parse_one(text: &str, metrics: &mut Vec<Arc<str>>) -> Read<Truth> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(fault(0, format!("a condition has at most {TEXT_BYTES_MAX} bytes, this one has {}", text.len())));
    }
    let parser = Parser::new().max_recursion_depth(DEPTH_MAX).error_recovery_limit(1);
    let (expression, places) = parser.parse_with_source_info(text).map_err(|errors| match errors.errors.first() {
        Some(error) => unparsed(text, error.pos, &error.msg),
        None => fault(0, "cannot be parsed"),
    })?;
    let mut reader = Reader { places: &places, metrics, depth: 0, n_names: 0 };
    let truth = reader.truth(&expression)?;
    if reader.n_names == 0 {
        return Err(fault(0, "names no metric, so it never changes"));
    }
    Ok(truth)
}

fn fault(at: usize, message: impl Into<String>) -> Fault {
    Fault { in_clear: false, at, message: message.into(), hint: None }
}

/// The parser's error in our words. Its position is a line and a column from 1.
fn unparsed(text: &str, (line, column): (isize, isize), told: &str) -> Fault {
    let begin: usize = text.split_inclusive('\n').take(line.max(1) as usize - 1).map(str::len).sum();
    let at = (begin + column.max(1) as usize - 1).min(text.len());
    let message = told.strip_prefix("Syntax error: ").unwrap_or(told);
    let message = message.split(" expecting ").next().unwrap_or(message).replace("'<EOF>'", "the end");
    let mut fault = match message.strip_prefix("reserved identifier: ") {
        Some(name) => {
            let hint = Some(format!("a metric of that name is written {VALUES}[\"{name}\"]"));
            Fault { hint, ..fault(at, format!("{name:?} is a word of CEL")) }
        }
        None if message.contains("Recursion limit") => fault(at, format!("nested deeper than {DEPTH_MAX}")),
        None => fault(at, message),
    };
    if fault.message.starts_with("invalid argument to has()") {
        fault.hint = Some(format!("write has({VALUES}.name), or \"name\" in {VALUES}"));
    }
    fault
}

struct Reader<'a> {
    places: &'a SourceInfo,
    metrics: &'a mut Vec<Arc<str>>,
    depth: u16,
    n_names: usize,
}

/// What a name stands for.
enum Named {
    Value(String),
    Age(String),
}

impl Reader<'_> {
    fn truth(&mut self, expression: &Expression) -> Read<Truth> {
        self.deeper(expression, |reader| match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(truth)) => Ok(Truth::Constant(*truth.inner())),
            Expr::Select(select) if select.test => reader.known(expression, select),
            Expr::Call(call) => reader.called(expression, call),
            Expr::Comprehension(_) => {
                Err(reader.fault(expression, "all, exists, exists_one, map and filter are not for readings"))
            }
            _ => {
                let hint = Some("compare it, e.g. with != 0.0".to_owned());
                Err(Fault { hint, ..reader.fault(expression, "expected something true or false") })
            }
        })
    }

    fn called(&mut self, expression: &Expression, call: &CallExpr) -> Read<Truth> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_AND, args) => self.truths(args).map(Truth::All),
            (op::LOGICAL_OR, args) => self.truths(args).map(Truth::Any),
            (op::LOGICAL_NOT, [arg]) => Ok(Truth::Not(Box::new(self.truth(arg)?))),
            (op::CONDITIONAL, [choice, yes, no]) => {
                Ok(Truth::Chosen(Box::new((self.truth(choice)?, self.truth(yes)?, self.truth(no)?))))
            }
            (op::IN, [left, right]) => self.among(expression, left, right),
            (name, [left, right]) => match relation(name) {
                Some(relation) => {
                    Ok(Truth::Compared(Box::new((self.compared(left)?, relation, self.compared(right)?))))
                }
                None => Err(self.uncalled(expression, call)),
            },
            _ => Err(self.uncalled(expression, call)),
        }
    }

    fn truths(&mut self, args: &[Expression]) -> Read<Vec<Truth>> {
        args.iter().map(|arg| self.truth(arg)).collect()
    }

    /// `x in [1.0, 2.0]`, `"name" in metric`.
    fn among(&mut self, expression: &Expression, left: &Expression, right: &Expression) -> Read<Truth> {
        match (&left.expr, &right.expr) {
            (Expr::Literal(LiteralValue::String(name)), Expr::Ident(map)) if map == VALUES => {
                self.number_of(left, name.inner()).map(Truth::Known)
            }
            (_, Expr::List(list)) if list.optional_indices.is_empty() => {
                let left = self.compared(left)?;
                let among = list.elements.iter().map(|element| self.compared(element)).collect::<Read<_>>()?;
                Ok(Truth::Among(Box::new((left, among))))
            }
            _ => Err(self.fault(expression, format!("in wants a list of numbers, or a name and {VALUES}"))),
        }
    }

    /// `has(metric.name)`.
    fn known(&mut self, expression: &Expression, select: &SelectExpr) -> Read<Truth> {
        let plain = SelectExpr { test: false, ..select.clone() };
        match self.named(&Expression { id: expression.id, expr: Expr::Select(plain) })? {
            Some(Named::Value(name)) => self.number_of(expression, &name).map(Truth::Known),
            _ => Err(self.fault(expression, "has wants a metric")),
        }
    }

    /// A side of a comparison, where a whole number means the same as a double.
    fn compared(&mut self, expression: &Expression) -> Read<Number> {
        let whole = match &expression.expr {
            Expr::Literal(LiteralValue::Int(whole)) => Some((whole.inner().unsigned_abs(), *whole.inner() as f64)),
            Expr::Literal(LiteralValue::UInt(whole)) => Some((*whole.inner(), *whole.inner() as f64)),
            _ => None,
        };
        match whole {
            Some((magnitude, value)) if magnitude <= WHOLE_MAX => Ok(Number::Constant(value)),
            Some(_) => Err(self.fault(expression, "a whole number that no reading can equal")),
            None => self.number(expression),
        }
    }

    fn number(&mut self, expression: &Expression) -> Read<Number> {
        self.deeper(expression, |reader| match &expression.expr {
            Expr::Literal(LiteralValue::Double(value)) => Ok(Number::Constant(*value.inner())),
            Expr::Literal(LiteralValue::Int(whole)) => {
                let hint = Some(format!("write {}.0", whole.inner()));
                let message = "CEL calculates with readings and whole numbers only apart";
                Err(Fault { hint, ..reader.fault(expression, message) })
            }
            Expr::Call(call) if call.func_name != op::INDEX => reader.calculated(expression, call),
            _ => match reader.named(expression)? {
                Some(Named::Value(name)) => reader.number_of(expression, &name).map(Number::Value),
                Some(Named::Age(name)) => reader.number_of(expression, &name).map(Number::Age),
                None => Err(reader.fault(expression, "expected a number or a metric")),
            },
        })
    }

    fn calculated(&mut self, expression: &Expression, call: &CallExpr) -> Read<Number> {
        let operator = match (call.func_name.as_str(), call.args.as_slice()) {
            (op::NEGATE, [arg]) => return Ok(Number::Negative(Box::new(self.number(arg)?))),
            (op::CONDITIONAL, [choice, yes, no]) => {
                return Ok(Number::Chosen(Box::new((self.truth(choice)?, self.number(yes)?, self.number(no)?))));
            }
            (op::ADD, _) => Operator::Plus,
            (op::SUBSTRACT, _) => Operator::Minus,
            (op::MULTIPLY, _) => Operator::Times,
            (op::DIVIDE, _) => Operator::Over,
            (op::MODULO, _) => return Err(self.fault(expression, "% is for whole numbers, readings are not")),
            _ => return Err(self.uncalled(expression, call)),
        };
        match call.args.as_slice() {
            [left, right] => Ok(Number::Calculated(Box::new((self.number(left)?, operator, self.number(right)?)))),
            _ => Err(self.uncalled(expression, call)),
        }
    }

    /// The metric that a name, a path or an index means.
    fn named(&self, expression: &Expression) -> Read<Option<Named>> {
        if let Expr::Call(CallExpr { func_name, args, target: None }) = &expression.expr
            && func_name == op::INDEX
            && let [Expression { expr: Expr::Ident(map), .. }, key] = args.as_slice()
            && let Expr::Literal(LiteralValue::String(name)) = &key.expr
        {
            return Ok(match map.as_str() {
                VALUES => Some(Named::Value(name.inner().into())),
                AGES => Some(Named::Age(name.inner().into())),
                _ => None,
            });
        }
        let mut path = Vec::new();
        let mut at = expression;
        loop {
            match &at.expr {
                Expr::Select(SelectExpr { operand, field, test: false }) => {
                    path.push(field.as_str());
                    at = operand;
                }
                Expr::Ident(root) => {
                    path.reverse();
                    let rest = path.join(".");
                    return match root.as_str() {
                        VALUES | AGES if rest.is_empty() => {
                            let hint = Some(format!("write {root}.name or {root}[\"name\"]"));
                            Err(Fault { hint, ..self.fault(expression, format!("{root} is of a metric")) })
                        }
                        VALUES => Ok(Some(Named::Value(rest))),
                        AGES => Ok(Some(Named::Age(rest))),
                        root if TYPES.contains(&root) => {
                            let hint = Some(format!("a metric of that name is written {VALUES}[\"{root}\"]"));
                            Err(Fault { hint, ..self.fault(expression, format!("{root:?} is a type of CEL")) })
                        }
                        root if rest.is_empty() => Ok(Some(Named::Value(root.to_owned()))),
                        root => Ok(Some(Named::Value(format!("{root}.{rest}")))),
                    };
                }
                _ => return Ok(None),
            }
        }
    }

    fn number_of(&mut self, expression: &Expression, metric: &str) -> Read<usize> {
        self.n_names += 1;
        if let Some(number) = self.metrics.iter().position(|known| **known == *metric) {
            return Ok(number);
        }
        if self.metrics.len() >= METRICS_MAX {
            return Err(self.fault(expression, format!("more than {METRICS_MAX} metrics")));
        }
        self.metrics.push(metric.into());
        Ok(self.metrics.len() - 1)
    }

    fn deeper<T>(&mut self, expression: &Expression, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= DEPTH_MAX {
            return Err(self.fault(expression, format!("nested deeper than {DEPTH_MAX}")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn uncalled(&self, expression: &Expression, call: &CallExpr) -> Fault {
        let is_name = call.func_name.starts_with(|first: char| first.is_ascii_alphabetic());
        let message = match is_name {
            true => format!("{}() is not for readings", call.func_name),
            false if call.func_name == op::INDEX => format!("only {VALUES} and {AGES} are asked for a name"),
            false => "expected something true or false, found a number".to_owned(),
        };
        self.fault(expression, message)
    }

    fn fault(&self, expression: &Expression, message: impl Into<String>) -> Fault {
        fault(self.places.offset_for(expression.id).map_or(0, |(start, _)| start as usize), message)
    }
}

fn relation(name: &str) -> Option<Relation> {
    Some(match name {
        op::EQUALS => Relation::Equal,
        op::NOT_EQUALS => Relation::Unequal,
        op::LESS => Relation::Less,
        op::LESS_EQUALS => Relation::LessOrEqual,
        op::GREATER => Relation::Greater,
        op::GREATER_EQUALS => Relation::GreaterOrEqual,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
