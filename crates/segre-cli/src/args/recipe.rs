//! Settings by recipe: many from a file, single ones, and all of them printed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use segre::recipe::{Recipe, RecipeError};

use super::Common;
use crate::report::json::print_object;

/// Settings that have no option of their own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recipe")]
pub struct RecipeArguments {
    /// Print every setting, as a file for --recipe, and end
    ///
    /// What is not decided by --recipe, --set and other options is chosen by the data, as in a fit. Nothing is fitted
    /// and no folder touched.
    #[arg(long, conflicts_with = "resume")]
    pub print_recipe: bool,
    /// Settings from a file, as --print-recipe writes it
    ///
    /// Every key may be left out. --set goes before the file, and other options before both.
    #[arg(long = "recipe", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// One setting, as network.dropout=0.2; may be repeated
    ///
    /// Keys and values are those of --print-recipe; words need no quotes, lists are written
    /// 'network.multipliers=[1, 2, 2]'.
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<String>,
}

/// An assignment that a recipe understands.
fn assignment(text: &str) -> Result<String, RecipeError> {
    Recipe::of_assignments([text])?;
    Ok(text.to_owned())
}

impl RecipeArguments {
    /// What is decided: by the file, by what is set beside it, and by options, each before those that it follows.
    pub fn and(&self, options: Recipe) -> Result<Recipe> {
        let file = match &self.file {
            None => Recipe::default(),
            Some(path) => {
                let name = path.display().to_string();
                let text = fs::read_to_string(path)
                    .with_context(|| format!("cannot read {name}; check --recipe"))?;
                Recipe::parse(&text, &name)?
            }
        };
        let set = Recipe::of_assignments(&self.set)?;
        Ok(file.and(set).and(options))
    }
}

/// Prints a recipe as a file for `--recipe`.
pub fn print_recipe(recipe: &Recipe, common: &Common) -> Result<()> {
    match common.json {
        true => print_object(recipe),
        false => {
            print!("{}", recipe.to_toml());
            Ok(())
        }
    }
}
