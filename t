from the editor #x
and words

-- aloud: what stands below this line is not posted --
It goes to . #tag makes a tag. Leave the text empty to post nothing.
