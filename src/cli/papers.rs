//! `tokenfield papers`: laws of the literature, predicted and measured side by side.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use tokenfield::{
    papers::{Law, Paper, PapersError, Predicted, Row, catalogue, try_law},
    plot::{PlotError, draw, draw_law},
};

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
        let (mut page, mut failed) = (String::new(), 0);
        data(format_args!("{}", line(&HEADER.map(str::to_owned))))?;
        for paper in &papers {
            page.push_str(&markdown::paper(paper));
            for law in &paper.laws {
                let law = if self.full { law.clone().in_full() } else { law.clone() };
                let folder = out.join(&paper.slug).join(&law.name);
                let mut progress = Progress::default();
                let trial = try_law(paper, &law, &folder, &machine, |event| show(&mut progress, event));
                let rows = pollster::block_on(trial)?;
                if !self.no_plot {
                    let undrawn = |error: PlotError| CommandError::Failed(error.to_string());
                    draw_law(&folder, &law, &rows).map_err(undrawn)?;
                    draw(&folder).map_err(undrawn)?;
                }
                page.push_str(&markdown::law(&law));
                for row in &rows {
                    failed += usize::from(!row.holds);
                    let cells = cells(paper, &law, row);
                    data(format_args!("{}", line(&cells)))?;
                    page.push_str(&markdown::row(&cells));
                    table.push(cells.to_vec());
                }
                page.push('\n');
            }
        }
        write(&out.join("laws.csv"), &comma_separated(&table)?)?;
        write(&out.join("laws.md"), page.as_bytes())?;
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
            PapersError::Experiment(error) => Self::Experiment(*error),
            PapersError::Sweep(error) => (*error).into(),
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

fn comma_separated(table: &[Vec<String>]) -> Result<Vec<u8>, CommandError> {
    let unwritten = |error: String| CommandError::Disk(format!("laws.csv: cannot be written: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in table {
        writer.write_record(row).map_err(|error| unwritten(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| unwritten(error.to_string()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let unwritten = |error| CommandError::Disk(format!("{}: cannot be written: {error}", path.display()));
    fs::write(path, bytes).map_err(unwritten)?;
    talk(format_args!("{}", path.display()));
    Ok(())
}

/// The same as a page: a heading for each paper, and for each law its statement and a table.
mod markdown {
    use tokenfield::papers::{Law, Paper};

    pub fn paper(paper: &Paper) -> String {
        let Paper { title, authors, arxiv, .. } = paper;
        format!("## {title}\n\n{authors}, [arXiv:{arxiv}](https://arxiv.org/abs/{arxiv}).\n\n")
    }

    pub fn law(law: &Law) -> String {
        let finding = law.finding.as_ref().map_or(String::new(), |finding| format!(" *{}*", finding.trim()));
        let says = law.says.trim();
        let header = "| place | quantity | predicted | measured | interval | verdict |\n|---|---|---|---|---|---|\n";
        format!("**{}** ({}). {says}{finding}\n\n{header}", law.name, law.certainty.word())
    }

    pub fn row(cells: &[String; 8]) -> String {
        let [_, _, place, quantity, predicted, measured, interval, verdict] = cells;
        format!("| {place} | `{quantity}` | {predicted} | {measured} | {interval} | {verdict} |\n")
    }
}
