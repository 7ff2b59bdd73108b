//! Names of picture generators, as people know them. That one is named proves nothing.

/// The generator that `text` names, if it names one that we know.
pub(super) fn named(text: &str) -> Option<&'static str> {
    let head: String = text.chars().take(MAX_NAME_CHARS).collect();
    let head = head.to_lowercase();
    TOOLS
        .iter()
        .find(|(word, _)| contains_word(&head, word))
        .map(|(_, name)| *name)
}

/// Whether `text` begins by saying that AI generated the picture.
pub(super) fn says_generated(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    ["ai generated", "ai-generated", "novelai generated"]
        .iter()
        .any(|words| text.starts_with(words))
}

/// Whether `word` stands in `text` with no letter or digit before or after it.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at.saturating_add(word.len())..)
            .and_then(|text| text.chars().next());
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

/// A name stands at the beginning of its field.
const MAX_NAME_CHARS: usize = 1_000;

/// Words in lower case, and the name. Words that are also people's names or plain words (Sora, Gemini,
/// Imagen, Grok) are left out unless their maker stands with them.
pub(super) const TOOLS: [(&str, &str); 37] = [
    ("adobe firefly", "Adobe Firefly"),
    ("automatic1111", "Stable Diffusion"),
    ("bing image creator", "Bing Image Creator"),
    ("black forest labs", "FLUX"),
    ("chatgpt", "ChatGPT"),
    ("comfyui", "ComfyUI"),
    ("dall-e", "DALL-E"),
    ("dall·e", "DALL-E"),
    ("doubao", "Doubao"),
    ("draw things", "Draw Things"),
    ("dreamina", "Dreamina"),
    ("easy diffusion", "Easy Diffusion"),
    ("fooocus", "Fooocus"),
    ("google ai", "Google AI"),
    ("google gemini", "Google Gemini"),
    ("ideogram", "Ideogram"),
    ("invokeai", "InvokeAI"),
    ("jimeng", "Jimeng"),
    ("kling ai", "Kling"),
    ("krea ai", "Krea"),
    ("leonardo.ai", "Leonardo.Ai"),
    ("luma ai", "Luma"),
    ("meta ai", "Meta AI"),
    ("midjourney", "Midjourney"),
    ("novelai", "NovelAI"),
    ("nano banana", "Google Gemini"),
    ("openai", "OpenAI"),
    ("playground ai", "Playground"),
    ("recraft", "Recraft"),
    ("runwayml", "Runway"),
    ("sd.next", "Stable Diffusion"),
    ("stability ai", "Stable Diffusion"),
    ("stable diffusion", "Stable Diffusion"),
    ("stable-diffusion", "Stable Diffusion"),
    ("swarmui", "SwarmUI"),
    ("xai grok", "Grok"),
    ("flux.1", "FLUX"),
];

#[cfg(test)]
mod tests {
    use super::{named, says_generated};

    #[test]
    fn a_name_is_a_whole_word() {
        assert_eq!(named("Made with Google AI"), Some("Google AI"));
        assert_eq!(named("Midjourney 6.1"), Some("Midjourney"));
        assert_eq!(named("NovelAI"), Some("NovelAI"));
        assert_eq!(named("Google Airview"), None);
        assert_eq!(named("Adobe Photoshop 26.0"), None);
    }

    #[test]
    fn saying_so_comes_first() {
        assert!(says_generated("AI generated image"));
        assert!(!says_generated("Not AI generated"));
    }
}
