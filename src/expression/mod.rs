//! Formulas of numbers that users and papers write: parsed once, and evaluated where their names have values.
//!
//! Operators are, from the loosest to the tightest: `or`, `and`; `<`, `<=`, `>`, `>=`, which give 1 where they hold and else 0; `+`, `-`;
//! `*`, `/`; the sign; and `^`, from the right. So -x^2 is -(x^2), and 2^3^2 is 2^9. A name is one of a column, of a key with its dots,
//! or `pi`. Everything is f64.

mod error;
mod functions;
mod grammar;

use std::{collections::BTreeSet, fmt, str::FromStr};

use pest::{
    Parser,
    iterators::{Pair, Pairs},
    pratt_parser::{Assoc, Op, PrattParser},
};

pub use self::error::ExpressionError;
use self::{
    functions::Function,
    grammar::{Grammar, Rule},
};

/// A formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
    root: Node,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Number(f64),
    Name(String),
    Negation(Box<Node>),
    Infix(Operator, Box<[Node; 2]>),
    Call(&'static Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    AtMost,
    AtLeast,
    Below,
    Above,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Expression {
    /// The names that it needs the values of, in alphabetical order; without `pi`.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.names(&mut names);
        names
    }

    /// Its value where `value_of` knows the values of all names.
    pub fn value(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> Result<f64, ExpressionError> {
        self.root.value(value_of).map_err(|name| ExpressionError::Unknown { text: self.text.clone(), name })
    }

    /// Whether it holds where `value_of` knows the values of all names; nothing holds of what is not a number.
    pub fn holds(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> bool {
        self.value(value_of).is_ok_and(|value| value != 0.0 && value.is_finite())
    }

    /// Whether it holds or does not: a comparison, or several.
    pub fn is_condition(&self) -> bool {
        match &self.root {
            Node::Infix(operator, _) => match operator {
                Operator::Or | Operator::And => true,
                Operator::AtMost | Operator::AtLeast | Operator::Below | Operator::Above => true,
                Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Power => false,
            },
            Node::Number(_) | Node::Name(_) | Node::Negation(_) | Node::Call(..) => false,
        }
    }

    /// Its outermost comparison as left minus right side of what is to be larger: positive where it holds. None if it is another formula.
    pub fn margin(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> Option<Result<f64, ExpressionError>> {
        let Node::Infix(operator, sides) = &self.root else { return None };
        let sign = match operator {
            Operator::Above | Operator::AtLeast => 1.0,
            Operator::Below | Operator::AtMost => -1.0,
            Operator::Or | Operator::And => return None,
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Power => {
                return None;
            }
        };
        let difference = || Ok(sign * (sides[0].value(value_of)? - sides[1].value(value_of)?));
        let unknown = |name| ExpressionError::Unknown { text: self.text.clone(), name };
        Some(difference().map_err(unknown))
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let mut formula =
            Grammar::parse(Rule::formula, text).map_err(|error| ExpressionError::syntax(text, &error))?;
        let operation = formula.next().and_then(|formula| formula.into_inner().next());
        let Some(operation) = operation else { return Err(ExpressionError::Empty) };
        Ok(Self { text: text.to_owned(), root: node(operation.into_inner(), text)? })
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn precedence() -> PrattParser<Rule> {
    PrattParser::new()
        .op(Op::infix(Rule::or, Assoc::Left))
        .op(Op::infix(Rule::and, Assoc::Left))
        .op(Op::infix(Rule::at_most, Assoc::Left)
            | Op::infix(Rule::at_least, Assoc::Left)
            | Op::infix(Rule::below, Assoc::Left)
            | Op::infix(Rule::above, Assoc::Left))
        .op(Op::infix(Rule::add, Assoc::Left) | Op::infix(Rule::subtract, Assoc::Left))
        .op(Op::infix(Rule::multiply, Assoc::Left) | Op::infix(Rule::divide, Assoc::Left))
        .op(Op::prefix(Rule::negation))
        .op(Op::infix(Rule::power, Assoc::Right))
}

fn node(pairs: Pairs<Rule>, text: &str) -> Result<Node, ExpressionError> {
    precedence()
        .map_primary(|pair| primary(pair, text))
        .map_prefix(|_, operand| Ok(Node::Negation(Box::new(operand?))))
        .map_infix(|left, infix, right| Ok(Node::Infix(operator(infix.as_rule()), Box::new([left?, right?]))))
        .parse(pairs)
}

fn primary(pair: Pair<Rule>, text: &str) -> Result<Node, ExpressionError> {
    let typed = pair.as_str();
    match pair.as_rule() {
        Rule::number => Ok(Node::Number(typed.parse().unwrap_or(f64::NAN))),
        Rule::name if typed == "pi" => Ok(Node::Number(std::f64::consts::PI)),
        Rule::call => {
            let mut inner = pair.into_inner();
            let name = inner.next().map_or("", |function| function.as_str());
            let arguments: Vec<Node> = inner.map(|pair| node(pair.into_inner(), text)).collect::<Result<_, _>>()?;
            let function = functions::named(name, arguments.len())
                .map_err(|problem| ExpressionError::Function { text: text.to_owned(), problem })?;
            Ok(Node::Call(function, arguments))
        }
        Rule::operation => node(pair.into_inner(), text),
        _ => Ok(Node::Name(typed.to_owned())),
    }
}

fn operator(rule: Rule) -> Operator {
    match rule {
        Rule::or => Operator::Or,
        Rule::and => Operator::And,
        Rule::at_most => Operator::AtMost,
        Rule::at_least => Operator::AtLeast,
        Rule::below => Operator::Below,
        Rule::above => Operator::Above,
        Rule::add => Operator::Add,
        Rule::subtract => Operator::Subtract,
        Rule::multiply => Operator::Multiply,
        Rule::divide => Operator::Divide,
        _ => Operator::Power,
    }
}

impl Node {
    fn names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Node::Number(_) => {}
            Node::Name(name) => {
                names.insert(name);
            }
            Node::Negation(node) => node.names(names),
            Node::Infix(_, nodes) => nodes.iter().for_each(|node| node.names(names)),
            Node::Call(_, nodes) => nodes.iter().for_each(|node| node.names(names)),
        }
    }

    /// Its value, or the name that has none.
    fn value(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> Result<f64, String> {
        Ok(match self {
            Node::Number(number) => *number,
            Node::Name(name) => value_of(name).ok_or_else(|| name.clone())?,
            Node::Negation(node) => -node.value(value_of)?,
            Node::Infix(operator, sides) => operator.apply(sides[0].value(value_of)?, sides[1].value(value_of)?),
            Node::Call(function, arguments) => {
                let arguments: Vec<f64> =
                    arguments.iter().map(|argument| argument.value(value_of)).collect::<Result<_, _>>()?;
                function.value(&arguments)
            }
        })
    }
}

impl Operator {
    fn apply(self, a: f64, b: f64) -> f64 {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match self {
            Operator::Or => truth(a != 0.0 || b != 0.0),
            Operator::And => truth(a != 0.0 && b != 0.0),
            Operator::AtMost => truth(a <= b),
            Operator::AtLeast => truth(a >= b),
            Operator::Below => truth(a < b),
            Operator::Above => truth(a > b),
            Operator::Add => a + b,
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            Operator::Divide => a / b,
            Operator::Power => a.powf(b),
        }
    }
}

#[cfg(test)]
mod tests;
