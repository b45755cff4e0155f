//! `tokenfield papers`: laws of the literature, predicted and measured side by side.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use tokenfield::papers::{Law, Paper, PapersError, Predicted, Row, catalogue, try_law};

use super::{
    error::CommandError,
    machine::MachineChoice,
    output::{data, name, talk},
    progress::Progress,
    sweep::show,
};

#[derive(Args)]
pub struct Papers {
    /// Papers by their names, or files of laws [default: all that are known].
    #[arg(value_name = "SLUG")]
    papers: Vec<String>,
    /// Compute at the size that was published, instead of the smallest that shows the law.
    #[arg(long)]
    full: bool,
    /// List papers and laws, and compute nothing.
    #[arg(long)]
    list: bool,
    /// The folder of the results; laws that are computed already stay as they are [default: runs/papers, or runs/papers-full].
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineChoice,
    /// Leave the pictures undrawn; `tokenfield plot` draws them later.
    #[arg(long)]
    no_plot: bool,
}

impl Papers {
    pub fn execute(self) -> Result<(), CommandError> {
        let papers = self.chosen()?;
        if self.list {
            return papers.iter().try_for_each(list);
        }
        let machine = self.machine.open_for_laws()?;
        let default = if self.full { "runs/papers-full" } else { "runs/papers" };
        let out = self.out.clone().unwrap_or_else(|| Path::new(default).to_owned());
        let mut table = vec![HEADER.map(str::to_owned).to_vec()];
        let mut failed = 0;
        data(format_args!("{}", line(&HEADER.map(str::to_owned))))?;
        for paper in &papers {
            for law in &paper.laws {
                let law = if self.full { law.clone().in_full() } else { law.clone() };
                let folder = out.join(&paper.slug).join(&law.name);
                let mut progress = Progress::default();
                let trial = try_law(paper, &law, &folder, &machine, |event| show(&mut progress, event));
                let rows = pollster::block_on(trial)?;
                if !self.no_plot {
                    tokenfield::plot::draw(&folder).map_err(|error| CommandError::Failed(error.to_string()))?;
                }
                for row in &rows {
                    failed += usize::from(!row.holds);
                    let cells = cells(paper, &law, row);
                    data(format_args!("{}", line(&cells)))?;
                    table.push(cells.to_vec());
                }
            }
        }
        write(&out.join("laws.csv"), &table)?;
        name(&out);
        match failed {
            0 => Ok(()),
            failed => Err(CommandError::Failed(format!("{failed} of {} rows do not hold", table.len() - 1))),
        }
    }

    /// The papers that were typed, or all.
    fn chosen(&self) -> Result<Vec<Paper>, CommandError> {
        let known = catalogue()?;
        if self.papers.is_empty() {
            return Ok(known);
        }
        let find = |typed: &String| -> Result<Paper, CommandError> {
            if let Some(slug) = typed.strip_suffix(".toml") {
                let text = fs::read_to_string(typed).map_err(|error| {
                    CommandError::Input(format!("{typed}: cannot be read: {error}; write the path of a file of laws"))
                })?;
                let slug = Path::new(slug).file_name().map_or(slug.into(), |slug| slug.to_string_lossy());
                return Ok(Paper::parse(&slug, &text)?);
            }
            known.iter().find(|paper| paper.slug == *typed).cloned().ok_or_else(|| {
                let slugs: Vec<&str> = known.iter().map(|paper| paper.slug.as_str()).collect();
                let remedy = format!("known are {}, and files that end with .toml", slugs.join(", "));
                CommandError::Input(format!("{typed}: no such paper; {remedy}"))
            })
        };
        self.papers.iter().map(find).collect()
    }
}

impl From<PapersError> for CommandError {
    fn from(error: PapersError) -> Self {
        match error {
            PapersError::Experiment(error) => Self::Experiment(error),
            PapersError::Sweep(error) => error.into(),
            error => Self::Input(error.to_string()),
        }
    }
}

fn list(paper: &Paper) -> Result<(), CommandError> {
    data(format_args!("{}: {}, \"{}\" (arXiv:{})", paper.slug, paper.authors, paper.title, paper.arxiv))?;
    for Law { name, says, certainty, finding, .. } in &paper.laws {
        data(format_args!("    {name} ({}): {says}", certainty.word()))?;
        if let Some(finding) = finding {
            data(format_args!("        found: {finding}"))?;
        }
    }
    Ok(())
}

const HEADER: [&str; 8] = ["paper", "law", "place", "quantity", "predicted", "measured", "interval", "verdict"];

fn cells(paper: &Paper, law: &Law, row: &Row) -> [String; 8] {
    let predicted = match row.predicted {
        Predicted::Value(value) => short(value),
        Predicted::AtLeast(value) => format!(">= {}", short(value)),
        Predicted::AtMost(value) => format!("<= {}", short(value)),
    };
    let interval = row.interval.map_or(String::new(), |[low, high]| format!("[{}, {}]", short(low), short(high)));
    let verdict = if row.holds { "holds" } else { "FAILS" };
    [
        format!("{} (arXiv:{})", paper.slug, paper.arxiv),
        law.name.clone(),
        row.place.clone(),
        row.quantity.clone(),
        predicted,
        short(row.measured),
        interval,
        verdict.to_owned(),
    ]
}

fn line(cells: &[String; 8]) -> String {
    cells.join(" | ")
}

/// Six digits.
fn short(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 || (1e-4..1e7).contains(&magnitude) {
        let digits = if number == 0.0 { 0 } else { (5 - magnitude.log10().floor() as i32).clamp(0, 9) };
        format!("{number:.*}", digits as usize)
    } else {
        format!("{number:.5e}")
    }
}

/// The table as comma-separated values.
fn write(path: &Path, table: &[Vec<String>]) -> Result<(), CommandError> {
    let unwritten = |error: String| CommandError::Disk(format!("{}: cannot be written: {error}", path.display()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in table {
        writer.write_record(row).map_err(|error| unwritten(error.to_string()))?;
    }
    let text = writer.into_inner().map_err(|error| unwritten(error.to_string()))?;
    fs::write(path, text).map_err(|error| unwritten(error.to_string()))?;
    talk(format_args!("{}", path.display()));
    Ok(())
}
